"""The reference list of commodity groups (bidang usaha) under which a business is counted.

Curated for the programme, not an official classification: KBLI is that, and is kept beside it. Codes are stable once
published, because figures are grouped by them; retire a code rather than give it another meaning.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple


class Commodity(NamedTuple):
    """A commodity group: its stable code and its names."""

    code: str
    name_id: str
    name_en: str


COMMODITIES: Final[Mapping[str, Commodity]] = MappingProxyType(
    {
        commodity.code: commodity
        for commodity in (
            Commodity("kuliner", "Kuliner siap saji", "Prepared food"),
            Commodity("makanan_olahan", "Makanan olahan dan kemasan", "Processed and packaged food"),
            Commodity("minuman", "Minuman", "Beverages"),
            Commodity("katering", "Katering", "Catering"),
            Commodity("fesyen", "Fesyen dan konveksi", "Fashion and garments"),
            Commodity("batik_tekstil", "Batik dan tekstil", "Batik and textiles"),
            Commodity("aksesori", "Aksesori dan perhiasan", "Accessories and jewellery"),
            Commodity("alas_kaki_kulit", "Alas kaki dan barang kulit", "Footwear and leather goods"),
            Commodity("kriya", "Kriya dan kerajinan", "Crafts"),
            Commodity("furnitur", "Furnitur dan perabot", "Furniture and furnishings"),
            Commodity("kosmetik_herbal", "Kosmetik, perawatan tubuh, dan jamu", "Cosmetics, body care and herbal products"),
            Commodity("kecantikan", "Jasa kecantikan dan pangkas rambut", "Beauty services and barbers"),
            Commodity("perdagangan", "Perdagangan eceran dan warung kelontong", "Retail and corner shops"),
            Commodity("pertanian_kota", "Pertanian kota dan tanaman hias", "Urban farming and ornamental plants"),
            Commodity("perikanan", "Perikanan dan hasil laut", "Fisheries and seafood"),
            Commodity("peternakan", "Peternakan", "Livestock"),
            Commodity("percetakan", "Percetakan dan sablon", "Printing and screen printing"),
            Commodity("digital", "Teknologi digital dan aplikasi", "Digital technology and apps"),
            Commodity("ekonomi_kreatif", "Fotografi, desain, musik, dan film", "Photography, design, music and film"),
            Commodity("otomotif", "Bengkel dan cuci kendaraan", "Vehicle repair and washing"),
            Commodity("jasa_rumah_tangga", "Binatu, reparasi, dan jasa rumah tangga", "Laundry, repair, household help"),
            Commodity("pendidikan", "Kursus dan pendidikan", "Courses and education"),
            Commodity("wisata", "Pariwisata dan penyelenggaraan acara", "Tourism and events"),
            Commodity("daur_ulang", "Daur ulang dan bank sampah", "Recycling and waste banks"),
            Commodity("lainnya", "Lainnya", "Other"),
        )
    }
)


def find(code: str) -> Commodity | None:
    """The commodity group of a code, whatever its case and surrounding blanks, or None."""
    return COMMODITIES.get(code) or COMMODITIES.get(code.strip().casefold())
