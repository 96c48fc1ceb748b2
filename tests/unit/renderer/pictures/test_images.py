"""Only plain pixels of ordinary pictures come in; everything else is refused in plain words."""

import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from esl.domain.errors import InvalidInput
from renderer.pictures import decode_worker
from renderer.pictures.ditherers import find_ditherer
from renderer.pictures.images import accept_picture
from renderer.pictures.picture import Ditherer, Picture
from renderer.pictures.upload_limits import FILE_LIMIT_BYTES, SIDE_LIMIT_PX
from tests.unit.renderer.pictures.picture_files import (
    RED,
    file_of,
    plain,
    png_chunk,
    png_claiming,
)


def refusal(data: bytes) -> tuple[str, str]:
    """Return what is wrong with a file and how to mend it."""
    with pytest.raises(InvalidInput) as caught:
        accept_picture(data, "logo")
    (problem,) = caught.value.problems
    assert problem.path == ""
    assert problem.fix
    return problem.detail, problem.fix


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_the_usual_formats_are_accepted(kind: str) -> None:
    picture = accept_picture(file_of(plain(), kind), "logo")
    assert (picture.name, picture.width_px, picture.height_px) == ("logo", 40, 30)
    pixels = picture.rgba()
    assert np.abs(pixels[15, 35, :3].astype(int) - RED).max() < 12
    assert (pixels[15, 4] >= 250).all()
    assert picture.ditherer is find_ditherer()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_every_pixel_mode_is_understood(mode: str) -> None:
    if mode == "I;16":
        image = Image.fromarray(np.full((30, 40), 40_000, np.uint16))
    else:
        image = plain(mode=mode)
    picture = accept_picture(file_of(image, "JPEG" if mode == "CMYK" else "PNG"), "logo")
    assert picture.width_px == 40
    if mode == "I;16":
        assert tuple(picture.rgba()[0, 0]) == (155, 155, 155, 255)


def test_transparency_stays() -> None:
    image = plain(mode="RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    kept = accept_picture(file_of(image), "logo").rgba()
    assert (kept == np.asarray(image)).all()


def test_a_camera_s_rotation_is_applied_and_its_metadata_dropped() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010E] = "taken at the back door"
    picture = accept_picture(file_of(plain(), "JPEG", exif=exif.tobytes()), "logo")
    assert (picture.width_px, picture.height_px) == (30, 40)
    assert b"back door" not in picture.png


def test_a_colour_profile_is_applied() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    assert accept_picture(file_of(plain(), icc_profile=profile.tobytes()), "logo").width_px == 40
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    with_profile = accept_picture(file_of(plain(), icc_profile=srgb), "logo")
    without = accept_picture(file_of(plain()), "logo")
    assert np.abs(with_profile.rgba().astype(int) - without.rgba()).max() <= 1
    assert accept_picture(file_of(plain(), icc_profile=b"no profile"), "logo") == without


def test_a_large_picture_is_scaled_down_to_the_largest_panel() -> None:
    picture = accept_picture(file_of(plain((2600, 1300))), "photo")
    assert (picture.width_px, picture.height_px) == (SIDE_LIMIT_PX, SIDE_LIMIT_PX // 2)


def test_nothing_but_pixels_comes_in() -> None:
    info = PngInfo()
    info.add_text("Comment", "<script>alert(1)</script>")
    polyglot = file_of(plain(), pnginfo=info) + b"PK\x03\x04 a second file behind the first"
    picture = accept_picture(polyglot, "logo")
    assert b"script" not in picture.png
    assert b"PK" not in picture.png
    assert picture == accept_picture(file_of(plain()), "logo")


def test_a_picture_is_taken_up_again_as_it_was_accepted() -> None:
    picture = accept_picture(file_of(plain(mode="RGBA")), "logo")
    again = Picture.stored("logo", picture.png)
    assert again == picture
    assert again.digest == picture.digest
    assert (again.rgba() == picture.rgba()).all()


@pytest.mark.parametrize("name", ["", "Logo", "../logo", "a b", "-x", "x" * 64, "ä"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        accept_picture(file_of(plain()), name)
    assert caught.value.problems[0].path == "/name"


def test_an_empty_file_is_refused() -> None:
    assert "empty" in refusal(b"")[0]


def test_a_file_above_the_limit_is_refused_before_anything_reads_it() -> None:
    detail, fix = refusal(b"\x89PNG" + bytes(FILE_LIMIT_BYTES))
    assert "2,097,156 bytes" in detail
    assert "scale it down" in fix


@pytest.mark.parametrize(
    "data",
    [
        b"hello",
        b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>',
        b"%PDF-1.7\n",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        file_of(plain(), "TIFF"),
        file_of(plain(), "ICO"),
        b"\0" * 4096,
    ],
    ids=["text", "svg", "pdf", "eps", "tiff", "ico", "zeros"],
)
def test_what_is_no_picture_for_labels_is_refused(data: bytes) -> None:
    detail, fix = refusal(data)
    assert "not a picture" in detail
    assert "PNG" in fix


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_half_a_file_is_refused(kind: str) -> None:
    noise = Image.effect_noise((64, 64), 80).convert("RGB")
    data = file_of(noise, kind)
    assert "damaged" in refusal(data[: len(data) // 2])[0]


@pytest.mark.parametrize("size", [(2001, 2000), (60_000, 60_000), (2_000_000_000, 2)])
def test_a_small_file_that_unpacks_to_too_much_is_refused_by_its_header(
    size: tuple[int, int],
) -> None:
    detail, _ = refusal(png_claiming(*size, rows=bytes(100_000)))
    assert "4,000,000 pixels" in detail


def test_a_text_chunk_that_unpacks_to_too_much_is_refused() -> None:
    bomb = zlib.compress(bytes(200_000_000), 9)
    image = file_of(plain())
    chunk = png_chunk(b"zTXt", b"Comment\0\0" + bomb)
    detail, _ = refusal(image[:33] + chunk + image[33:])
    assert "damaged" in detail


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_moving_picture_is_refused(kind: str) -> None:
    frames = [plain(), Image.new("RGB", (40, 30), "blue")]
    detail, fix = refusal(file_of(frames[0], kind, save_all=True, append_images=frames[1:]))
    assert "moves" in detail
    assert "one frame" in fix


def test_of_a_moving_gif_the_first_frame_is_taken() -> None:
    frames = [plain(), Image.new("RGB", (40, 30), "blue")]
    data = file_of(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert accept_picture(data, "logo") == accept_picture(file_of(frames[0], "GIF"), "logo")


def test_the_decoding_process_has_no_more_memory_and_time_than_it_may() -> None:
    greedy = (
        "from renderer.pictures.decode_worker import limit_this_process\n"
        "limit_this_process()\n"
        "try:\n    bytearray(2 ** 30)\nexcept MemoryError:\n    print('refused', flush=True)\n"
        "while True:\n    pass\n"
    )
    child = subprocess.run(
        [sys.executable, "-c", greedy], capture_output=True, timeout=60, check=False
    )
    assert child.returncode < 0  # ended by the kernel for the processor time it took
    assert child.stdout == b"refused\n"


def test_a_decoder_that_dies_is_a_damaged_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("renderer.pictures.images.sys.executable", "/bin/false")
    assert "damaged" in refusal(file_of(plain()))[0]


def test_a_picture_that_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("renderer.pictures.images.DECODING_LONGEST_S", 0.001)
    assert "too long" in refusal(file_of(plain()))[0]


def test_the_worker_says_why_by_its_exit_status() -> None:
    with pytest.raises(decode_worker.Refused) as caught:
        decode_worker.decode(b"hello")
    assert caught.value.verdict is decode_worker.Verdict.NOT_A_PICTURE


def test_stored_bytes_that_are_not_ours_are_refused() -> None:
    for data in (b"", b"GIF89a", file_of(plain())):
        with pytest.raises(ValueError, match=r"damaged|Ditherer"):
            Picture.stored("logo", data)


def test_the_digest_says_pixels_size_and_ditherer() -> None:
    pixels = np.asarray(plain(mode="RGBA"))
    one = Picture.of("a", pixels, Ditherer.PILLOW)
    assert one == Picture.of("b", pixels.copy(), Ditherer.PILLOW)
    assert hash(one) == hash(Picture.of("b", pixels, Ditherer.PILLOW))
    assert one != Picture.of("a", pixels, Ditherer.EPAPER)
    assert one != Picture.of("a", pixels.reshape(40, 30, 4), Ditherer.PILLOW)
    with pytest.raises(ValueError, match="cannot be kept"):
        Picture.of("a", np.zeros((1, SIDE_LIMIT_PX + 1, 4), np.uint8), Ditherer.PILLOW)
