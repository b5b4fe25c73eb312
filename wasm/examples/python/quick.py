"""Makes wasmtime-py convert byte lists at once.

wasmtime 50.0.1 for Python converts each byte of a `list<u8>` by itself, some 3 microseconds each, and asks the engine
anew for the fields of a type with every value. Both are done here once. `pull.py` works without this, but slowly.
"""

import ctypes
from functools import cached_property

from wasmtime import _ffi as ffi
from wasmtime.component import _func, _types as types

VAL = ffi.wasmtime_component_val_t
SIZE = ctypes.sizeof(VAL)
KIND = VAL.kind.offset
BYTE = VAL.of.offset
U8 = ffi.WASMTIME_COMPONENT_U8.value

slow_to_c = types.ListType.convert_to_c
slow_from_c = types.ListType.convert_from_c


def to_c(self, store, value, ptr):
    if not self.is_bytes:
        return slow_to_c(self, store, value, ptr)
    # The list's values lie side by side: one slice sets all their kinds, one all their bytes.
    values = bytearray(SIZE * len(value))
    values[KIND::SIZE] = bytes([U8]) * len(value)
    values[BYTE::SIZE] = value
    raw = ffi.wasmtime_component_vallist_t()
    ffi.wasmtime_component_vallist_new_uninit(raw, len(value))
    ctypes.memmove(raw.data, (ctypes.c_char * len(values)).from_buffer(values), len(values))
    ptr.contents.kind = ffi.WASMTIME_COMPONENT_LIST
    ptr.contents.of.list = raw


def from_c(self, c):
    if not self.is_bytes:
        return slow_from_c(self, c)
    try:
        # An empty list has no address.
        return ctypes.string_at(c.of.list.data, SIZE * c.of.list.size)[BYTE::SIZE] if c.of.list.size else b""
    finally:
        ffi.wasmtime_component_vallist_delete(ctypes.byref(c.of.list))


def once(cls, name, get):
    """Makes a property that is computed once for each type."""
    prop = cached_property(get)
    prop.__set_name__(cls, name)
    setattr(cls, name, prop)


def install():
    types.ListType.convert_to_c = to_c
    types.ListType.convert_from_c = from_c
    once(types.ListType, "is_bytes", types.ListType._is_bytes)
    for cls, name in [
        (_func.FuncType, "params"),
        (_func.FuncType, "result"),
        (types.ListType, "element"),
        (types.OptionType, "payload"),
        (types.RecordType, "fields"),
        (types.ResultType, "err"),
        (types.ResultType, "ok"),
        (types.TupleType, "elements"),
        (types.VariantType, "cases"),
    ]:
        once(cls, name, getattr(cls, name).fget)
    once(types.VariantLikeType, "is_tagged", types.VariantLikeType._tagged)
    types.VariantLikeType._tagged = lambda self: self.is_tagged
