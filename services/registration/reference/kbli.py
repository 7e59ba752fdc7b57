"""KBLI, the Indonesian classification of business fields: a short curated list of the codes small businesses use (R4).

Not the whole classification (some 1,800 five-digit codes): a code that is missing here may well exist, so it is a
warning that asks for a second look, never an error. KBLI 2025 renumbers much of it; no list of it is kept yet, and a
2025 code is taken as it is. Titles are shortened.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

VERSIONS: Final = ("2020", "2025")

KBLI_2020: Final[Mapping[str, str]] = MappingProxyType(
    {
        "01131": "Pertanian hortikultura sayuran daun",
        "01136": "Pertanian jamur",
        "01193": "Pertanian tanaman bunga",
        "01461": "Budidaya ayam ras pedaging",
        "03221": "Pembesaran ikan air tawar di kolam",
        "10391": "Industri tempe kedelai",
        "10392": "Industri tahu kedelai",
        "10531": "Industri pengolahan es krim",
        "10710": "Industri produk roti dan kue",
        "10740": "Industri makaroni, mi, dan produk sejenisnya",
        "10750": "Industri makanan dan masakan olahan",
        "10761": "Industri pengolahan kopi",
        "10772": "Industri bumbu masak dan penyedap masakan",
        "10792": "Industri kue basah",
        "10793": "Industri makanan dari kedelai dan kacang-kacangan lainnya",
        "10794": "Industri kerupuk, keripik, peyek, dan sejenisnya",
        "10799": "Industri produk makanan lainnya",
        "11040": "Industri minuman ringan",
        "11090": "Industri minuman lainnya",
        "13134": "Industri batik",
        "13921": "Industri barang jadi tekstil untuk keperluan rumah tangga",
        "14111": "Industri pakaian jadi (konveksi) dari tekstil",
        "14120": "Penjahitan dan pembuatan pakaian sesuai pesanan",
        "14131": "Industri perlengkapan pakaian dari tekstil",
        "14302": "Industri pakaian jadi sulaman/bordir",
        "15121": "Industri barang dari kulit untuk keperluan pribadi",
        "15201": "Industri alas kaki untuk keperluan sehari-hari",
        "16291": "Industri barang anyaman dari rotan dan bambu",
        "16293": "Industri kerajinan ukiran dari kayu bukan mebel",
        "18111": "Industri percetakan umum",
        "20231": "Industri sabun dan bahan pembersih keperluan rumah tangga",
        "20232": "Industri kosmetik untuk manusia",
        "21022": "Industri produk obat tradisional untuk manusia",
        "31001": "Industri furnitur dari kayu",
        "32112": "Industri barang perhiasan dari logam mulia untuk keperluan pribadi",
        "32120": "Industri perhiasan imitasi dan sejenisnya",
        "32903": "Industri kerajinan lainnya",
        "45201": "Reparasi mobil",
        "45202": "Pencucian dan salon mobil",
        "47111": "Perdagangan eceran aneka barang, utamanya makanan dan minuman, di minimarket",
        "47112": "Perdagangan eceran aneka barang, utamanya makanan dan minuman, bukan di minimarket",
        "47591": "Perdagangan eceran furnitur",
        "47711": "Perdagangan eceran pakaian",
        "47712": "Perdagangan eceran sepatu, sandal, dan alas kaki lainnya",
        "56101": "Restoran",
        "56102": "Rumah/warung makan",
        "56103": "Kedai makanan",
        "56104": "Penyediaan makanan keliling/tempat tidak tetap",
        "56109": "Restoran dan penyediaan makanan keliling lainnya",
        "56210": "Jasa boga untuk suatu event tertentu",
        "56290": "Penyediaan jasa boga periode tertentu",
        "56303": "Rumah minum/kafe",
        "56304": "Kedai minuman",
        "62019": "Aktivitas pemrograman komputer lainnya",
        "62090": "Aktivitas teknologi informasi dan jasa komputer lainnya",
        "73100": "Periklanan",
        "74201": "Aktivitas fotografi",
        "79111": "Aktivitas agen perjalanan wisata",
        "81210": "Aktivitas kebersihan umum bangunan",
        "85499": "Pendidikan lainnya swasta",
        "95220": "Reparasi peralatan rumah tangga dan kebun",
        "96111": "Aktivitas pangkas rambut",
        "96112": "Aktivitas salon kecantikan",
        "96200": "Aktivitas penatu",
    }
)
# None: a version in force of which no list is kept, so nothing can be called unknown.
CODES: Final[Mapping[str, Mapping[str, str] | None]] = MappingProxyType({"2020": KBLI_2020, "2025": None})
