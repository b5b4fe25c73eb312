// JSON from outside.

import { failure } from "./fault";
import { ANNOTATIONS, NAME } from "./limits";

export type Json = Record<string, unknown>;

const STRICT = new TextDecoder("utf-8", { fatal: true });

/** Reads an object. */
export function readJson(bytes: Uint8Array, what: string): Json {
  const value = readAny(bytes, what);
  if (!isObject(value)) throw failure("input", `${what} is not a JSON object`);
  return value;
}

/** Reads any value. */
export function readAny(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(STRICT.decode(bytes));
  } catch (error) {
    throw failure("input", `${what} is not JSON`, { causes: error instanceof Error ? [error.message.slice(0, 200)] : [] });
  }
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A list that may be left out, or null as Go writes it. */
export function list(value: unknown, what: string, limit: number): unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw failure("input", `${what} is not a list`);
  if (value.length > limit) throw failure("limit", `${what} has ${value.length} items, at most ${limit} are read`);
  return value;
}

/** A string; "" where there is none. */
export function text(value: unknown): string {
  return typeof value === "string" ? value.slice(0, NAME) : "";
}

/** A length or an offset. */
export function size(value: unknown, what: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw failure("input", `${what} is not a size`);
  }
  return value;
}

const DIGEST = /^sha256:[0-9a-f]{64}$/;

export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

export function digest(value: unknown, what: string): string {
  if (typeof value !== "string" || !isDigest(value)) throw failure("input", `${what} has no SHA-256 digest`);
  return value;
}

/** Annotations: strings by name. */
export function annotations(value: unknown): Record<string, string> {
  const found: Record<string, string> = Object.create(null) as Record<string, string>;
  if (!isObject(value)) return found;
  const pairs = Object.entries(value);
  if (pairs.length > ANNOTATIONS) throw failure("limit", `there are ${pairs.length} annotations`);
  for (const [key, said] of pairs) if (typeof said === "string") found[key] = said;
  return found;
}
