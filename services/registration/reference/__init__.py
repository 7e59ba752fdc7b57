"""The published lists that everything is counted by: areas, commodity groups, dinas, categories, KBLI, district codes."""
