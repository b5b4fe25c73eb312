// All that is known of a path, but for its content.

import { bytes, counted, visible } from "../../format";
import type { FileDetails, ImageInfo } from "../../protocol";
import { RouteLink } from "../../parts/link";
import { KIND_WORDS } from "../../parts/nodes";
import type { ViewProps } from "../view";
import { octal, permissions, target, time } from "./words";

interface FactsProps extends Pick<ViewProps, "route" | "go"> {
  file: FileDetails;
  image: ImageInfo;
}

export function Facts({ file: { details, path, link, xattrs }, image, route, go }: FactsProps) {
  const { kind, mode, uid, gid, mtime, size, digest, origin, wasted } = details;
  const holes = size - details.bytes.logical;
  const layer = origin && image.layers[origin[0]];
  return (
    <dl class="facts">
      <dt>Kind</dt>
      <dd>{KIND_WORDS[kind]}</dd>
      {link !== undefined && (
        <>
          <dt>Leads to</dt>
          <dd>
            <RouteLink at={{ route, go }} to={{ path: target(kind, path, link) }}>
              {visible(link)}
            </RouteLink>
          </dd>
        </>
      )}
      <dt>Mode</dt>
      <dd>
        <code>{permissions(kind, mode)}</code>, <code>{octal(mode)}</code>
      </dd>
      <dt>Owner</dt>
      <dd>
        user {uid}, group {gid}
      </dd>
      <dt>Modified</dt>
      <dd>{time(mtime)}</dd>
      {kind === "regular" && (
        <>
          <dt>Size</dt>
          <dd>
            {bytes(size)}
            {size >= 1024 && ` (${counted(size, "byte")})`}
            {digest !== undefined && holes > 0 && `, of these ${bytes(holes)} in holes, which take nothing`}
          </dd>
          {digest !== undefined && (
            <>
              <dt>Compressed</dt>
              <dd>{details.bytes.unlocated > 0 ? "not known: its layer was read whole" : bytes(details.bytes.compressed)}</dd>
              <dt>Digest</dt>
              <dd>
                <code>{digest}</code>
              </dd>
            </>
          )}
        </>
      )}
      {origin && (
        <>
          <dt>Layer</dt>
          <dd>
            {origin[0] + 1} of {image.layers.length}
            {layer && (
              <>
                , <code>{visible(layer.blob)}</code>
              </>
            )}
          </dd>
        </>
      )}
      {wasted.count > 0 && (
        <>
          <dt>Hidden here</dt>
          <dd>
            {counted(wasted.count, "file")} of lower layers with {bytes(wasted.bytes.logical)}, which a pull takes and nobody
            sees
          </dd>
        </>
      )}
      {xattrs.length > 0 && (
        <>
          <dt>Attributes</dt>
          <dd>
            <ul class="xattrs">
              {xattrs.map(([name, value]) => (
                <li key={name}>
                  <code>
                    {visible(name)}={visible(value)}
                  </code>
                </li>
              ))}
            </ul>
          </dd>
        </>
      )}
    </dl>
  );
}
