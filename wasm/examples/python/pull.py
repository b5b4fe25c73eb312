#!/usr/bin/env python3
"""Plans and pulls container images with the component shingle:core in wasmtime.

    pull.py [--component FILE] plan REF [--given REF]... [--full] [--trust diffid|toc]
    pull.py [--component FILE] pull REF --store DIR [--trust diffid|toc]

REF is oci:DIR[:TAG] or http://HOST:PORT/REPOSITORY:TAG. This program reads and writes; the component decides, decodes
and proves. Objects are kept by digest in DIR/objects, tables of contents in DIR/layers.
"""

import argparse
import http.client
import json
import shutil
import sys
import threading
import time
from pathlib import Path

import wasmtime
from wasmtime.component import Component, Linker, Record, Variant

import quick
from sources import Refused, hex_of, manifest_of, need, open_image, record

quick.install()
# `layer.media_type` for the field `media-type`.
Record.__getattr__ = lambda self, name: self.__dict__[name.replace("_", "-")]

PIECE = 256 << 10
BATCH = 4096
ATTEMPTS = 3


class Core:
    """An instance of the component, which may run for so long and have so much memory."""

    def __init__(self, path, seconds=600, memory=512 << 20):
        config = wasmtime.Config()
        config.epoch_interruption = True
        engine = wasmtime.Engine(config)
        self.store = wasmtime.Store(engine)
        self.store.set_limits(memory_size=memory)
        self.store.set_epoch_deadline(seconds)
        threading.Thread(target=self.tick, args=(engine,), daemon=True).start()
        component = Component.from_file(engine, path)
        self.instance = Linker(engine).instantiate(self.store, component)
        self.functions = {}

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


def plan_json(core, layer, plan, toc_bytes, requests, full):
    """What `shingle plan --json` says of a layer that is pulled by file."""
    summary = core("pull.[method]plan.summary", plan)
    made = {
        **head(layer, "partial"),
        "toc_bytes": toc_bytes,
        "fetched_bytes": toc_bytes + summary.request_bytes,
        "requests": requests + summary.requests,
        "bridged_bytes": summary.bridged_bytes,
        "content_bytes": summary.content_bytes,
        "reused_bytes": summary.reused_bytes,
        "files": {
            "total": summary.files,
            **{name: getattr(summary, name) for name in ("held", "twins", "assembled", "fetched")},
        },
    }
    if full:
        made["ranges"] = [[wanted.start, wanted.end] for wanted in core("pull.[method]plan.requests", plan)]
        made["sources"] = [source_json(planned) for planned in files_of(core, plan)]
    return made


def source_json(planned):
    kind, source = planned.source.tag, planned.source.payload
    made = {"file": planned.file, "from": kind}
    if kind == "assembled":
        names = ("offset", "object", "object_offset", "len", "digest")
        donated = [{name: getattr(piece, name) for name in names} for piece in source.donated]
        return {**made, "fetched": source.fetched, "donated": donated}
    if kind == "held":
        return {**made, "digest": source.digest, "same_class": source.same_class}
    return {**made, "of": source.of, "same_class": source.same_class}


def head(layer, mode):
    blob, size = layer["digest"], layer["size"]
    return {"blob": blob, "diff_id": layer["diff_id"], "media_type": layer["mediaType"], "blob_bytes": size, "mode": mode}


def whole_json(layer, why, toc_bytes, requests):
    fetched = toc_bytes + layer["size"]
    made = {**head(layer, "whole"), "why": why}
    return {**made, "toc_bytes": toc_bytes, "fetched_bytes": fetched, "requests": requests + 1}


def present_json(layer):
    return {**head(layer, "present"), "toc_bytes": 0, "fetched_bytes": 0, "requests": 0}


def report(reference, digest, layers):
    names = ("blob_bytes", "toc_bytes", "fetched_bytes", "requests", "bridged_bytes", "content_bytes", "reused_bytes")
    total = {name: sum(layer.get(name, 0) for layer in layers) for name in names}
    made = {"image": reference, "digest": digest, "layers": layers, "total": total}
    return json.dumps(made, ensure_ascii=False, separators=(",", ":"))


def files_of(core, plan):
    files = []
    while batch := core("pull.[method]plan.files", plan, len(files), BATCH):
        files += batch
    return files


def plan_image(core, reference, given, policy, full):
    inventory = core("pull.[constructor]inventory")
    present = set()
    for other in given:
        source, _, layers = open_image(core, other)
        for layer in layers:
            basis, _, body, *_ = look(core, source, layer, policy)
            holder = basis or read_whole(core, source, layer, policy, body)
            toc = core(f"pull.[method]{'basis' if basis else 'verified-layer'}.toc", holder)
            core("pull.[method]inventory.add-toc", inventory, toc)
            core.drop(toc, holder)
            present.add(layer["diff_id"])
    source, digest, layers = open_image(core, reference)
    made = []
    for layer in layers:
        if layer["diff_id"] in present:
            made.append(present_json(layer))
            continue
        present.add(layer["diff_id"])
        basis, why, _, *cost = look(core, source, layer, policy)
        plan = basis and core("pull.decide", basis, inventory, policy)
        if isinstance(plan, Record):
            plan, why = None, plan.message
        made.append(plan_json(core, layer, plan, *cost, full) if plan else whole_json(layer, why, *cost))
        core.drop(*filter(None, (plan, basis)))
    return report(reference, digest, made)


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


class Store:
    """Contents by digest, TOCs by what proves their layers, and a place for what is not proven yet."""

    def __init__(self, root):
        self.root, self.staging = Path(root), Path(root) / "staging" / str(os.getpid())
        for name in ("objects", "layers"):
            (self.root / name).mkdir(parents=True, exist_ok=True)

    def object(self, digest):
        return self.root / "objects" / hex_of(digest)

    def clear(self):
        shutil.rmtree(self.staging, ignore_errors=True)
        self.staging.mkdir(parents=True)

    def keep(self, core, verified, files):
        for file, digest in files:
            (self.staging / str(file)).rename(self.object(digest))
        rung = core("pull.[method]verified-layer.trust", verified).replace("-", "")
        toc = core("pull.[method]verified-layer.toc", verified)
        (self.staging / "toc").write_bytes(core("pull.[method]toc.to-stored", toc))
        name = hex_of(core("pull.[method]verified-layer.digest", verified))
        (self.staging / "toc").rename(self.root / "layers" / f"{rung}-{name}")
        core.drop(toc, verified)


def pull_image(core, reference, store, policy):
    source, digest, layers = open_image(core, reference)
    made = []
    for layer in layers:
        store.clear()
        made.append(pull_layer(core, source, layer, store, policy))
    shutil.rmtree(store.staging, ignore_errors=True)
    return report(reference, digest, made)


def pull_layer(core, source, layer, store, policy):
    if (store.root / "layers" / f"diffid-{hex_of(layer['diff_id'])}").exists():
        return present_json(layer)
    basis, why, body, *cost = look(core, source, layer, policy)
    inventory = core("pull.[constructor]inventory")
    for path in sorted((store.root / "layers").iterdir()) if basis else ():
        toc = core("pull.[static]toc.from-stored", path.read_bytes(), policy.limits)
        core("pull.[method]inventory.add-toc", inventory, toc)
        core.drop(toc)
    for _ in range(ATTEMPTS):
        plan = basis and core("pull.decide", basis, inventory, policy)
        if plan is None or isinstance(plan, Record):
            pull_whole(core, source, layer, store, policy, body)
            return whole_json(layer, why or plan.message, *cost)
        store.clear()
        bad = pull_partial(core, source, layer, store, basis, plan)
        if not bad:
            made = plan_json(core, layer, plan, *cost, False)
            core.drop(plan, basis, inventory)
            return made
        for donor in bad:
            core("pull.[method]inventory.strike", inventory, donor)
    raise Refused("what is in the store is not what it is called")


def pull_whole(core, source, layer, store, policy, body):
    files, ended = {}, []

    def take(piece):
        it = piece.payload
        if piece.tag == "begin":
            files.clear()
            files[0] = open(store.staging / str(it.file), "wb")
            files[0].truncate(it.size)
        elif piece.tag == "data":
            files[0].seek(it.offset)
            files[0].write(it.bytes)
        else:
            files[0].close()
            ended.append((it.file, it.digest))

    store.keep(core, read_whole(core, source, layer, policy, body, take), ended)


def pull_partial(core, source, layer, store, basis, plan):
    """Carries out a plan and proves the layer; returns the donors that are not what they are called."""
    toc = core("pull.[method]basis.toc", basis)
    entries = {}
    for first in range(0, core("pull.[method]toc.len", toc), BATCH):
        for index, entry in enumerate(core("pull.[method]toc.entries", toc, first, BATCH), first):
            if entry.digest:
                entries[index] = (entry.digest, entry.member.size)
    core.drop(toc)
    sources = {planned.file: planned.source for planned in files_of(core, plan)}
    assembled = [file for file, of in sources.items() if of.tag == "assembled"]
    for file in assembled:
        with open(store.staging / str(file), "wb") as made:
            made.truncate(entries[file][1])
            for piece in sources[file].payload.donated:
                try:
                    with open(store.object(piece.object), "rb") as donor:
                        donor.seek(piece.object_offset)
                        made.seek(piece.offset)
                        made.write(donor.read(piece.len))
                except FileNotFoundError:
                    return [piece.object]

    def write(lent):
        for piece in lent:
            with open(store.staging / str(piece.file), "r+b") as made:
                made.seek(piece.offset)
                made.write(piece.bytes)

    ledger, fetches = core("pull.[method]plan.start", plan)
    for fetch in fetches:
        answer, _ = feed(core, source, "fetch", fetch, layer["digest"], layer["size"], write)
        need(answer == "all", "the registry serves ranges of this blob no more")
        core("pull.[method]ledger.credit", ledger, core("pull.[static]fetch.finish", fetch))
    complete = core("pull.[static]ledger.close", ledger)

    check = core("pull.[method]basis.check", basis, plan)
    last = None
    try:
        # Every file is read back from where it really is.
        while (file := core("pull.[method]layer-check.wants", check)) is not None:
            need(file != last, f"file {file} is too short")
            last = file
            of = sources[file].payload.of if sources[file].tag == "twin" else file
            held = sources[of].tag == "held"
            path = store.object(sources[of].payload.digest) if held else store.staging / str(of)
            with open(path, "rb") as content:
                while piece := content.read(PIECE):
                    core("pull.[method]layer-check.receive", check, piece)
    except (Refused, FileNotFoundError):
        of = sources.get(last) and (sources[last].payload.of if sources[last].tag == "twin" else last)
        it = of is not None and sources[of]
        donors = it and ([it.payload.digest] if it.tag == "held" else [p.object for p in it.payload.donated])
        if not donors:
            raise
        core.drop(check, complete)
        return donors
    verified = core("pull.[static]layer-check.finish", check, complete, layer["diff_id"])
    store.keep(core, verified, [(file, entries[file][0]) for file in assembled])
    return []


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--component", default="target/wasm/shingle_core.wasm", help="the component")
    commands = parser.add_subparsers(dest="command", required=True)
    plan = commands.add_parser("plan", help="print what a pull would fetch, as JSON")
    plan.add_argument("--given", action="append", default=[], metavar="REF", help="an image that is held already")
    plan.add_argument("--json", action="store_true", help="accepted for likeness with `shingle plan`")
    plan.add_argument("--full", action="store_true", help="print ranges and the sources of files, too")
    pull = commands.add_parser("pull", help="pull into a directory of objects")
    pull.add_argument("--store", required=True, metavar="DIR")
    for command in (plan, pull):
        command.add_argument("image", metavar="REF", help="oci:DIR[:TAG] or http://HOST:PORT/REPOSITORY:TAG")
        command.add_argument("--trust", choices=("diffid", "toc"), default="diffid", help="how far to prove layers")
    args = parser.parse_args()
    try:
        core = Core(args.component)
        policy = core("types.default-policy")
        policy.trust = {"diffid": "diff-id", "toc": "toc"}[args.trust]
        if args.command == "plan":
            print(plan_image(core, args.image, args.given, policy, args.full))
        else:
            print(pull_image(core, args.image, Store(args.store), policy))
    except (Refused, OSError, wasmtime.WasmtimeError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
