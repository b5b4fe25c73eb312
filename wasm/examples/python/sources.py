"""Where images lie: OCI layouts, and registries over plain HTTP."""

import hashlib
import json
import os
import platform
import re
import urllib.error
import urllib.request
from pathlib import Path

from wasmtime.component import Record

DOCUMENT = 8 << 20
ACCEPT = ", ".join([
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
])


class Refused(Exception):
    """Somebody lies, or something cannot be read."""


def record(**fields):
    made = Record()
    made.__dict__.update({name.replace("_", "-"): value for name, value in fields.items()})
    return made


def need(good, problem):
    if not good:
        raise Refused(problem)


def hex_of(digest):
    """The digits of a digest, which are fit for a file's name."""
    need(re.fullmatch("sha256:[0-9a-f]{64}", digest), f"{digest!r} is not a SHA-256 digest")
    return digest[7:]


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def read_document(file):
    data = file.read(DOCUMENT + 1)
    need(len(data) <= DOCUMENT, "a document is too long")
    return data


class Layout:
    """An OCI image layout: oci:DIR[:TAG]."""

    def __init__(self, text):
        directory, _, tag = text.partition(":")
        self.dir, self.tag = Path(directory), tag or None
        need((self.dir / "oci-layout").is_file(), f"{directory} is no OCI image layout")

    def document(self, name):
        if name is None or not name.startswith("sha256:"):
            index = json.loads(read_document(open(self.dir / "index.json", "rb")))
            key = "org.opencontainers.image.ref.name"
            named = [m for m in index["manifests"] if name in (None, (m.get("annotations") or {}).get(key))]
            need(name or len(named) < 2, "there are several images; name one: oci:DIR:TAG")
            if not named:
                return None
            name = named[0]["digest"]
        data = read_document(self.whole(name, None))
        need(digest_of(data) == name, f"the manifest {name} is something else")
        return data

    def range(self, blob, size, start, end):
        file = self.whole(blob, size)
        length = os.fstat(file.fileno()).st_size
        need(length == size, f"the blob {blob} is {length} bytes long, the manifest says {size}")
        file.seek(start)
        return "part", file

    def whole(self, blob, size):
        return open(self.dir / "blobs/sha256" / hex_of(blob), "rb")

    def beside(self, suffix):
        return None, f"TAG{suffix}", "is looked for in registries only"


class Registry:
    """A registry over plain HTTP. What its answers mean is for the component to say."""

    def __init__(self, core, text):
        match = re.fullmatch("([^/]+)/(.+):([^:/]+)", text)
        need(match, "http://HOST:PORT/REPOSITORY:TAG is needed")
        host, repository, self.tag = match.groups()
        self.core, self.name, self.base = core, f"{host}/{repository}", f"http://{host}/v2/{repository}"

    def get(self, path, **headers):
        request = urllib.request.Request(f"{self.base}/{path}", headers={"Accept-Encoding": "identity", **headers})
        try:
            answer = urllib.request.urlopen(request, timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        length = answer.headers.get("Content-Length", "")
        return answer, record(
            status=answer.status,
            content_range=answer.headers.get("Content-Range"),
            content_length=int(length) if length.isdecimal() else None,
            content_type=answer.headers.get("Content-Type"),
            content_encoding=answer.headers.get("Content-Encoding"),
        )

    def document(self, name):
        answer, reply = self.get(f"manifests/{name}", Accept=ACCEPT)
        if answer.status in (404, 410):
            return None
        return read_document(self.judge(answer, reply, None))

    def range(self, blob, size, start, end):
        asked = record(start=start, end=end)
        answer, reply = self.get(f"blobs/{blob}", Range=self.core("http.range-header", asked))
        verdict = self.core("http.accept", reply, asked, size)
        if verdict.tag == "part":
            answer.read(max(0, start - verdict.payload.start))
        elif verdict.tag == "refused":
            need(verdict.payload.leaves_whole, f"cannot get {blob}: {verdict.payload.message}")
        return verdict.tag, answer

    def whole(self, blob, size):
        return self.judge(*self.get(f"blobs/{blob}"), size)

    def judge(self, answer, reply, size):
        verdict = self.core("http.accept-whole", reply, size)
        need(verdict.tag != "refused", verdict.payload and verdict.payload.message)
        return answer

    def beside(self, suffix):
        tag = self.tag + suffix
        if len(tag) > 128:
            return None, tag, "has too long a tag"
        return tag, f"{self.name}:{tag}", "is not there"


def manifest_of(source, tag):
    """The manifest that a tag leads to, and its digest; None where there is nothing of the name."""
    data = source.document(tag)
    if data is None:
        return None, None
    manifest = json.loads(data)
    if "manifests" in manifest:
        need("layers" not in manifest, "it is index and manifest in one")
        machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
        ours = [m for m in manifest["manifests"] if m.get("platform", {}).get("os") == "linux"
                and m["platform"].get("architecture") == machine]
        ours = ours or (manifest["manifests"] if len(manifest["manifests"]) == 1 else [])
        need(ours, "there is no image for this machine")
        data = source.document(ours[0]["digest"])
        need(data and digest_of(data) == ours[0]["digest"], "the manifest is not what the index says")
        manifest = json.loads(data)
    return digest_of(data), manifest


def open_image(core, reference):
    """The source, the manifest's digest and the layers, each with its DiffID."""
    if reference.startswith("oci:"):
        source = Layout(reference[4:])
    elif reference.startswith("http://"):
        source = Registry(core, reference[7:])
    else:
        raise Refused(f"{reference!r} is neither oci:DIR[:TAG] nor http://HOST:PORT/REPOSITORY:TAG")
    digest, manifest = manifest_of(source, source.tag)
    need(digest, f"there is no {reference}")
    config = read_document(source.whole(manifest["config"]["digest"], manifest["config"]["size"]))
    need(digest_of(config) == manifest["config"]["digest"], "the config is not what the manifest says")
    diff_ids = json.loads(config)["rootfs"].get("diff_ids") or []
    need(len(diff_ids) == len(manifest["layers"]), "manifest and config differ in the number of layers")
    for layer, diff_id in zip(manifest["layers"], diff_ids):
        layer["diff_id"] = diff_id
        layer.setdefault("mediaType", "")
        hex_of(layer["digest"]), hex_of(diff_id)
    return source, digest, manifest["layers"]
