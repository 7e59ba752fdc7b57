"""Reference data of registration: areas, commodities, offices, categories, KBLI, districts."""
