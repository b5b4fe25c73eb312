#!/usr/bin/env python3
"""Plans and pulls container images with the component shingle:core in wasmtime.

    pull.py [--component FILE] [--cache DIR] plan REF [--given REF]... [--full] [--trust diffid|toc]
    pull.py [--component FILE] [--cache DIR] pull REF --store DIR [--trust diffid|toc]

REF is oci:DIR[:TAG] or http://HOST:PORT/REPOSITORY:TAG. This program reads and writes; the component decides, decodes
and proves. Objects are kept by digest in DIR/objects, tables of contents in DIR/layers.
"""

import argparse
import json
import os
import shutil
import sys
from pathlib import Path

import wasmtime
from wasmtime.component import Record

from core import ATTEMPTS, BATCH, PIECE, Core, feed, files_of, identity, look, read_whole
from sources import Refused, hex_of, need, open_image


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


def plan_image(core, reference, given, policy, full):
    inventory = core("pull.[constructor]inventory")
    held, seen = set(), set()
    for other in given:
        source, _, layers = open_image(core, other)
        for layer in layers:
            basis, _, body, *_ = look(core, source, layer, policy)
            held.add(identity(core, basis, layer))
            holder = basis or read_whole(core, source, layer, policy, body)
            toc = core(f"pull.[method]{'basis' if basis else 'verified-layer'}.toc", holder)
            core("pull.[method]inventory.add-toc", inventory, toc)
            core.drop(toc, holder)
    source, digest, layers = open_image(core, reference)
    made = []
    for layer in layers:
        # Two blobs that claim one DiffID are the same only if that is proven.
        key = (layer["diff_id"], policy.trust == "toc" and layer["digest"])
        if key in seen or identity(core, None, layer) in held:
            made.append(present_json(layer))
            continue
        seen.add(key)
        basis, why, _, *cost = look(core, source, layer, policy)
        if basis and identity(core, basis, layer) in held:
            core.drop(basis)
            made.append(present_json(layer))
            continue
        plan = basis and core("pull.decide", basis, inventory, policy)
        if isinstance(plan, Record):
            plan, why = None, plan.message
        made.append(plan_json(core, layer, plan, *cost, full) if plan else whole_json(layer, why, *cost))
        core.drop(*filter(None, (plan, basis)))
    return report(reference, digest, made)


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
        # `toc.to-stored` is for this, but of ten thousand files it is more than wasmtime-py may be handed at once.
        with open(self.staging / "toc", "w") as stored:
            for index, entry in entries_of(core, toc):
                chunks = core("pull.[method]toc.chunks", toc, index)
                held = [[it.digest, it.offset, it.len] for it in chunks if len(chunks) > 1 and it.body.tag != "zeros"]
                print(json.dumps([entry.digest, entry.member.size, getattr(entry, "class"), held]), file=stored)
        name = hex_of(core("pull.[method]verified-layer.digest", verified))
        (self.staging / "toc").rename(self.root / "layers" / f"{rung}-{name}")
        core.drop(toc, verified)


def entries_of(core, toc):
    """Every file that has a digest, with the index of its entry."""
    for first in range(0, core("pull.[method]toc.len", toc), BATCH):
        for index, entry in enumerate(core("pull.[method]toc.entries", toc, first, BATCH), first):
            if entry.digest:
                yield index, entry


def pull_image(core, reference, store, policy):
    source, digest, layers = open_image(core, reference)
    made = []
    for layer in layers:
        store.clear()
        made.append(pull_layer(core, source, layer, store, policy))
    shutil.rmtree(store.staging, ignore_errors=True)
    return report(reference, digest, made)


def pull_layer(core, source, layer, store, policy):
    if (store.root / "layers" / identity(core, None, layer)).exists():
        return present_json(layer)
    basis, why, body, *cost = look(core, source, layer, policy)
    if basis and (store.root / "layers" / identity(core, basis, layer)).exists():
        return present_json(layer)
    inventory = core("pull.[constructor]inventory")
    for path in sorted((store.root / "layers").iterdir()) if basis else ():
        for line in open(path):
            digest, size, kind, chunks = json.loads(line)
            core("pull.[method]inventory.add-file", inventory, digest, size, kind)
            for chunk, offset, length in chunks:
                core("pull.[method]inventory.add-chunk", inventory, chunk, digest, offset, length)
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
    entries = {index: (entry.digest, entry.member.size) for index, entry in entries_of(core, toc)}
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
    parser.add_argument("--cache", metavar="DIR", help="keep machine code here; nobody else may be able to write to it")
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
        core = Core(args.component, args.cache)
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
