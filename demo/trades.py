"""What the businesses of the demonstration do: commodity, KBLI code, a shop's name and its weight in the whole."""

from typing import Final, NamedTuple


class Trade(NamedTuple):
    """A kind of business; `dinas` only where one office naturally answers for it, `weight` relative to the others."""

    commodity: str
    kbli: str
    shop: str
    weight: int
    dinas: str | None = None


TRADES: Final = (
    Trade("kuliner", "56102", "Warung", 15),
    Trade("kuliner", "56104", "Gerobak", 9),
    Trade("kuliner", "56103", "Kedai", 5),
    Trade("makanan_olahan", "10794", "Keripik", 7),
    Trade("makanan_olahan", "10710", "Roti", 5),
    Trade("makanan_olahan", "10792", "Kue", 5),
    Trade("minuman", "56304", "Es", 5),
    Trade("katering", "56210", "Katering", 5),
    Trade("fesyen", "14111", "Konveksi", 6),
    Trade("fesyen", "14120", "Penjahit", 4),
    Trade("batik_tekstil", "13134", "Batik", 2),
    Trade("aksesori", "32120", "Aksesori", 2),
    Trade("alas_kaki_kulit", "15201", "Sandal", 1),
    Trade("kriya", "32903", "Kriya", 4),
    Trade("furnitur", "31001", "Mebel", 1),
    Trade("kosmetik_herbal", "21022", "Jamu", 2),
    Trade("kecantikan", "96112", "Salon", 3),
    Trade("perdagangan", "47112", "Toko", 8),
    Trade("pertanian_kota", "01131", "Kebun", 1, "KPKP"),
    Trade("perikanan", "03221", "Kolam", 1, "KPKP"),
    Trade("percetakan", "18111", "Sablon", 1),
    Trade("digital", "62019", "Studio", 1, "Parekraf"),
    Trade("ekonomi_kreatif", "74201", "Foto", 1, "Parekraf"),
    Trade("otomotif", "45201", "Bengkel", 2),
    Trade("jasa_rumah_tangga", "96200", "Binatu", 3),
    Trade("pendidikan", "85499", "Kursus", 1, "Pendidikan"),
    Trade("wisata", "79111", "Wisata", 1, "Parekraf"),
)

# Kota and kabupaten from which many people have come to Jakarta: the first four digits of their NIK.
OTHER_DISTRICTS: Final = (
    *("3201", "3216", "3271", "3275", "3276", "3603", "3671", "3674"),  # around Jakarta
    *("3204", "3205", "3209", "3212", "3215", "3302", "3303", "3305", "3310", "3312", "3328", "3329", "3374"),
    *("3404", "3471", "3506", "3509", "3578", "1207", "1271", "1306", "1371", "1671", "1801", "1871", "7371"),
)
