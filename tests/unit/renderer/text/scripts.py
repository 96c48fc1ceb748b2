"""Texts of a shop in the scripts the bundled fonts have."""

from hypothesis import strategies as st

SAMPLES = {
    "arabic": ("حليب طازج كامل الدسم 1.5 لتر", "فارسی می\u200cخواهم ۱۲٪", "١٢٣٫٤٥ ر.س"),
    "hebrew": ("חלב טרי 3% שומן 1 ליטר", "מחיר: 12.90 ₪ (מבצע)", "שָׁלוֹם"),
    "thai": ("นมสดพาสเจอร์ไรส์ 2 ลิตร", "ปี่ กุ้งน้ำจืด ซื้อ 1 แถม 1"),
    "devanagari": ("ताज़ा दूध १ लीटर", "क्षत्रिय हिन्दी श्री 500 ग्राम"),
    "mixed": ("Coca-Cola كوكا كولا 330 ml", "נסקפה Gold 200 גרם", "สบู่ Dove 100 g"),
    "latin": ("Süßrahmbutter ŠĐČĆŽ Żółć ₿", "Nước mắm Ẳ Ệ q\u0303", "Молоко Γάλα 3,2 %"),
}

_LETTERS = (
    "abcdeiMWŠßjgÁ",
    "0123456789%€.,-()/",
    "حليبطازجكاملالدسمىآؤ\u0651\u064e\u0650\u200c١٢٣،",
    "אבגדהוזחטשלםןץ\u05b8\u05bc\u05c1",
    "กขคงนมสดพาเแโไรุูิีึ่้๊์ำ",
    "कखगदधरलशषत्रिीुूेैोौंँ़ज्ञ१२",
    "жщюяΓάλα",
)

texts = st.lists(
    st.sampled_from(_LETTERS).flatmap(lambda letters: st.text(letters, min_size=1, max_size=9)),
    min_size=1,
    max_size=6,
).map(" ".join)
"""Words of every script, mixed, with marks anywhere."""
