"""The image of an archive, which is what a stranger wrote."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from pyro_image.archive import image_of_archive
from pyro_image.common import Refused
from tar_archives import Entry, pax, tar_of

MANIFEST = b'{"layers": []}'
DIGEST = hashlib.sha256(MANIFEST).hexdigest()


def given(work: Path, *entries: Entry) -> None:
    (work / "import.tar").write_bytes(tar_of(*entries))


def layout(*images: dict[str, Any]) -> list[Entry]:
    index = {"manifests": [{"digest": f"sha256:{DIGEST}", **one} for one in images]}
    return [Entry("./index.json", data=json.dumps(index).encode()), Entry(f"blobs/sha256/{DIGEST}", data=MANIFEST)]


def docker(*tags: list[str]) -> Entry:
    return Entry("manifest.json", data=json.dumps([{"RepoTags": one} for one in tags]).encode())


def named(name: str) -> dict[str, Any]:
    return {"annotations": {"org.opencontainers.image.ref.name": name}}


def test_a_layout_is_unpacked_with_the_chosen_image_alone(work: Path) -> None:
    given(work, *layout(named("one"), named("two:latest")))
    assert image_of_archive({"kind": "auto", "name": "two"}) == f"oci:{work}/import"
    assert json.loads((work / "import/index.json").read_text())["manifests"] == [{"digest": f"sha256:{DIGEST}"}]
    assert (work / f"import/blobs/sha256/{DIGEST}").read_bytes() == MANIFEST
    assert not (work / "import.tar").exists()


def test_an_image_of_docker_has_a_number(work: Path) -> None:
    given(work, docker(["a:1"], ["b:latest", "c:2"]))
    assert image_of_archive({"kind": "auto", "name": "b"}) == f"docker-archive:{work}/import.tar:@1"


def test_an_archive_that_is_compressed_as_a_whole_is_decompressed(work: Path) -> None:
    (work / "import.tar").write_bytes(gzip.compress(tar_of(docker(["a:1"]))))
    assert image_of_archive({"kind": "docker"}) == f"docker-archive:{work}/import.plain.tar:@0"


def test_of_several_platforms_this_one_is_taken(work: Path) -> None:
    platforms = [{"platform": {"os": "linux", "architecture": one}} for one in ("arm64", "amd64")]
    given(work, *layout(*platforms))
    image_of_archive({"kind": "oci"})
    (chosen,) = json.loads((work / "import/index.json").read_text())["manifests"]
    assert chosen["platform"]["architecture"] == "amd64"


@pytest.mark.parametrize(
    ("entries", "name", "kind", "reason"),
    [
        ([Entry("other")], None, "archive", "neither index.json nor manifest.json"),
        ([docker()], None, "archive", "its manifest.json is empty"),
        ([docker(["a:1"], ["b:1"])], None, "archive", "several images are in the archive (a:1, b:1)"),
        ([docker(["a:1"])], "x", "archive", "no image 'x' is in the archive, which has a:1"),
        (layout(), None, "archive", "its index.json is empty"),
        (layout(named("a"), named("b")), None, "archive", "several images are in the archive (a, b)"),
        (layout(named("a"))[:1], None, "archive", "the archive has no manifest"),
        (layout({"digest": "sha256:../x"}), None, "archive", "the archive has no manifest 'sha256:../x'"),
        ([*layout({}), Entry(f"blobs/sha256/{DIGEST}", data=b"{}")], None, "digest", "is not what the digest says"),
        ([Entry("index.json", data=b"no")], None, "archive", "is no JSON"),
        ([Entry("index.json", size=1 << 40)], None, "archive", "no tar archive"),
        (
            layout(*({"platform": {"os": "linux", "architecture": one}} for one in ("arm64", "s390x"))),
            None,
            "platform",
            "the image is for linux/arm64, linux/s390x",
        ),
    ],
)
def test_what_is_no_image_is_refused(
    work: Path, entries: list[Entry], name: str | None, kind: str, reason: str
) -> None:
    given(work, *entries)
    with pytest.raises(Refused) as caught:
        image_of_archive({"kind": "auto", "name": name} if name else {"kind": "auto"})
    assert (caught.value.kind, reason in str(caught.value)) == (kind, True), str(caught.value)


def test_what_is_no_archive_is_refused(work: Path) -> None:
    (work / "import.tar").write_bytes(b"no archive at all".ljust(2048, b"."))
    with pytest.raises(Refused, match="no tar archive of an image"):
        image_of_archive({"kind": "auto"})


@pytest.mark.parametrize(
    ("archive", "reason"),
    [
        (pax({"size": "4096"}, b"g") + tar_of(Entry("a"), Entry("b")), "has no plain size"),
        (
            tar_of(Entry("a", data=b"1\n", pax={"GNU.sparse.size": "1000000000000", "GNU.sparse.map": "0,2"})),
            "no plain",
        ),
        (tar_of(Entry("a", pax={"size": "9" * 30})), "no tar archive of an image"),
    ],
)
def test_an_archive_that_programs_read_in_different_ways_is_refused(work: Path, archive: bytes, reason: str) -> None:
    (work / "import.tar").write_bytes(archive)
    with pytest.raises(Refused, match=reason):
        image_of_archive({"kind": "auto"})
