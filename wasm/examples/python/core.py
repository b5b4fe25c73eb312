"""The component in wasmtime, and what is done with it for every layer."""

import hashlib
import http.client
import importlib.metadata
import os
import threading
import time
from pathlib import Path

import wasmtime
from wasmtime.component import Component, Linker, Record, Variant

import quick
from sources import Refused, hex_of, manifest_of, need, record

quick.install()
# `layer.media_type` for the field `media-type`.
Record.__getattr__ = lambda self, name: self.__dict__[name.replace("_", "-")]

# Small: each byte of an answer counts as some forty against the 128 MiB that wasmtime lets one call hand back.
PIECE = 32 << 10
BATCH = 4096
ATTEMPTS = 3


class Core:
    """An instance of the component, which may run for so long and have so much memory."""

    def __init__(self, path, cache=None, seconds=600, memory=512 << 20):
        config = wasmtime.Config()
        config.epoch_interruption = True
        engine = wasmtime.Engine(config)
        self.store = wasmtime.Store(engine)
        self.store.set_limits(memory_size=memory)
        self.store.set_epoch_deadline(seconds)
        threading.Thread(target=self.tick, args=(engine,), daemon=True).start()
        component = self.load(engine, Path(path).read_bytes(), cache)
        self.instance = Linker(engine).instantiate(self.store, component)
        self.functions = {}

    @staticmethod
    def load(engine, wasm, cache):
        """Compiles, or takes machine code from a directory that nobody else may be able to write to."""
        if cache is None:
            return Component(engine, wasm)
        kept = Path(cache) / f"{hashlib.sha256(wasm).hexdigest()}-py{importlib.metadata.version('wasmtime')}.cwasm"
        if not kept.exists():
            kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            unfinished = kept.with_suffix(f".{os.getpid()}")
            unfinished.write_bytes(Component(engine, wasm).serialize())
            unfinished.rename(kept)
        return Component.deserialize_file(engine, str(kept))

    @staticmethod
    def tick(engine):
        while True:
            time.sleep(1)
            engine.increment_epoch()

    def __call__(self, name, *args):
        """Calls a function, such as `pull.look`, `pull.[method]plan.summary`, `pull.[static]fetch.finish`."""
        if name not in self.functions:
            interface, function = name.split(".", 1)
            outer = self.instance.get_export_index(self.store, f"shingle:core/{interface}@0.1.0")
            index = self.instance.get_export_index(self.store, function, outer)
            function = self.instance.get_func(self.store, index)
            # The function's type, once for all calls.
            kind = function.type(self.store)
            function.type = lambda _store: kind
            self.functions[name] = function
        result = self.functions[name](self.store, *args)
        # A result comes as what it holds, and with a tag only where both sides are of one Python type.
        if isinstance(result, Variant) and result.tag == "ok":
            return result.payload
        error = result.payload if isinstance(result, Variant) and result.tag == "err" else result
        if isinstance(error, Record) and set(vars(error)) == {"message", "lie", "cause"}:
            raise Refused(error.message)
        return result

    def drop(self, *resources):
        for resource in resources:
            resource.drop(self.store)


def feed(core, source, kind, machine, blob, size, take=lambda lent: None):
    """Gives a machine the bytes that it waits for, and asks again for the rest when a body breaks off."""
    for _ in range(ATTEMPTS):
        owed = core(f"pull.[method]{kind}.remaining", machine)
        left = owed.end - owed.start
        if left <= 0:
            return "all", None
        answer, body = source.range(blob, size, owed.start, owed.end)
        if answer != "part" and not (answer == "whole" and left == size):
            return answer, body
        while left > 0:
            try:
                piece = body.read(min(PIECE, left))
            except http.client.IncompleteRead as error:
                piece = error.partial
            if not piece:
                break
            left -= len(piece)
            take(core(f"pull.[method]{kind}.receive", machine, piece))
            while kind == "fetch" and core("pull.[method]fetch.pending", machine):
                take(core("pull.[method]fetch.receive", machine, b""))
    owed = core(f"pull.[method]{kind}.remaining", machine)
    need(owed.start >= owed.end, f"blob {blob} breaks off at byte {owed.start}")
    return "all", None


def look(core, source, layer, policy):
    """Finds the TOC: a basis or None, why there is none, a body that is on its way, bytes and requests that it took."""
    cost = [0, 0]

    def fed(kind, machine, blob, size):
        owed = core(f"pull.[method]{kind}.remaining", machine)
        answer, body = feed(core, source, kind, machine, blob, size)
        if answer == "all":
            cost[0] += owed.end - owed.start
            cost[1] += owed.end > owed.start
            return None
        cost[1] += answer == "refused"
        body = body if answer == "whole" and blob == layer["digest"] else None
        return None, "the registry does not serve ranges of this blob", body, *cost

    blob, size = layer["digest"], layer["size"]
    annotations = sorted((layer.get("annotations") or {}).items())
    looked = core("pull.look", record(media_type=layer["mediaType"], size=size, annotations=annotations), policy)
    if looked.tag == "tail":
        tail = looked.payload
        if whole := fed("tail-fetch", tail, blob, size):
            return whole
        looked = core("pull.[static]tail-fetch.finish", tail)
        if looked.tag == "elsewhere":
            tag, image, problem = source.beside("-esgztoc")
            digest, manifest = manifest_of(source, tag) if tag else (None, None)
            if digest:
                key = "containerd.io/snapshot/stargz/layer.digest"
                ours = [m for m in manifest["layers"] if (m.get("annotations") or {}).get(key) == blob]
                problem = "has none for it"
            if not digest or not ours:
                why = f"its table of contents should be in the image {image}, which {problem}"
                return None, why, None, *cost
            blob, size = ours[0]["digest"], ours[0]["size"]
            try:
                fetch = core("pull.[static]external-toc.fetch", looked.payload, size)
            except Refused as why:
                return None, str(why), None, *cost
            looked = Variant("toc", fetch)
    if looked.tag == "whole":
        return None, looked.payload.message, None, *cost
    if whole := fed("toc-fetch", looked.payload, blob, size):
        return whole
    opened = core("pull.[static]toc-fetch.finish", looked.payload)
    if isinstance(opened, Record):
        return None, opened.message, None, *cost
    return opened, None, None, *cost


def identity(core, basis, layer):
    """What a layer is known by: only where its DiffID is proven is it the one that an image names."""
    if basis and core("pull.[method]basis.trust", basis) == "toc":
        toc = core("pull.[method]basis.toc", basis)
        vouched = core("pull.[method]toc.vouched", toc)
        core.drop(toc)
        return f"toc-{hex_of(vouched)}"
    return f"diffid-{hex_of(layer['diff_id'])}"


def read_whole(core, source, layer, policy, body, take=lambda piece: None):
    """Reads a layer front to back: a verified layer. What it holds goes to `take`."""
    body = body or source.whole(layer["digest"], layer["size"])
    fetch = core("whole.[constructor]whole-fetch", policy.limits, False)
    left = layer["size"] + 1
    while piece := body.read(min(PIECE, left)):
        left -= len(piece)
        for made in core("whole.[method]whole-fetch.receive", fetch, piece):
            take(made)
        while core("whole.[method]whole-fetch.pending", fetch):
            for made in core("whole.[method]whole-fetch.receive", fetch, b""):
                take(made)
    return core("whole.[static]whole-fetch.finish", fetch, layer["digest"], layer["diff_id"]).verified


def files_of(core, plan):
    files = []
    while batch := core("pull.[method]plan.files", plan, len(files), BATCH):
        files += batch
    return files
