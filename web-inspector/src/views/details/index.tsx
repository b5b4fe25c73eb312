// One path: what is known of it, what it is made of, and who else has it.

import { useEffect, useRef } from "preact/hooks";

import { visible } from "../../format";
import type { FileDetails } from "../../protocol";
import { ExportMenu } from "../../export/menu";
import { Await, useAsked } from "../../parts/asked";
import { RouteLink } from "../../parts/link";
import { ImagePick, MeasurePick, nameOf } from "../../parts/picks";
import { needle, SearchBox } from "../../parts/search";
import type { ViewProps } from "../view";
import { Children } from "./children";
import { Chunks } from "./chunks";
import { Facts } from "./facts";
import { chunksCsv, chunksSvg, fileJson } from "./files";
import { Copies, Holders } from "./holders";
import { standing } from "./words";
import "./details.css";

/** Paths that a search lists. */
const FOUND = 100;

export function FileView(view: ViewProps) {
  const { images, route, go, call } = view;
  const { image } = route;
  const node = useAsked(call, "find", { image, path: route.path }, [images, image, route.path]);
  const text = needle(route.search);
  const found = useAsked(call, "search", text === "" ? undefined : { image, text, limit: FOUND }, [images, image, text]);
  const at = node.answer;
  const details = useAsked(call, "details", at === undefined ? undefined : { image, node: at }, [images, image, at]);
  // Asked for with the first directory, and kept for all others.
  const listed = useRef(false);
  listed.current ||= details.answer?.details.kind === "directory";
  const tree = useAsked(
    call,
    "tree",
    listed.current ? { image, measure: route.measure } : undefined,
    [images, image, route.measure, listed.current],
  );
  const before = useRef<FileDetails>(undefined);
  useEffect(() => {
    if (!details.answer) return;
    // The link that led from another path is gone with what it was in: reading goes on at the heading.
    if (before.current && document.activeElement === document.body) document.getElementById("file-path")?.focus();
    before.current = details.answer;
  }, [details.answer]);
  const open = async (typed: string) => {
    const wanted = needle(typed).replace(/\/+$/, "");
    const [whole, [first]] = await Promise.all([
      call("find", { image, path: wanted }),
      call("search", { image, text: wanted, limit: 1 }),
    ]).catch((): [undefined, []] => [undefined, []]);
    // A whole path is gone to as it is; else the first that contains what was typed.
    go({ path: whole === undefined ? (first?.path ?? wanted) : wanted, search: "" });
  };
  return (
    <div class="file-view">
      <h2>File</h2>
      <div class="row">
        <ImagePick images={images} value={image} onChange={(image) => go({ image })} />
        <MeasurePick value={route.measure} onChange={(measure) => go({ measure })} />
        <SearchBox value={route.search} onSearch={(search) => go({ search }, "replace")} onEnter={(text) => void open(text)} />
      </div>
      {text !== "" && (
        <Await asked={found} what="Searching">
          {(paths) => (
            <div class="found">
              <p role="status">
                {paths.length === 0
                  ? `No path contains “${visible(route.search)}”.`
                  : paths.length === FOUND
                    ? `The first ${FOUND} paths that contain “${visible(route.search)}”:`
                    : `${paths.length} found:`}
              </p>
              <ul>
                {paths.map(({ path }) => (
                  <li key={path}>
                    <RouteLink at={view} to={{ path, search: "" }}>
                      {visible(path)}
                    </RouteLink>
                  </li>
                ))}
              </ul>
            </div>
          )}
        </Await>
      )}
      <Await asked={node} what="Looking for the path">
        {(node) =>
          node === undefined ? (
            <p role="alert">
              {nameOf(images, image)} has no path {visible(route.path)}. Search above for a part of it, or{" "}
              <RouteLink at={view} to={{ path: "" }}>
                begin at the root
              </RouteLink>
              .
            </p>
          ) : (
            <Await asked={details} what="Reading what is known of it">
              {(file) => (
                <>
                  <About {...view} image={image} file={file} />
                  {file.details.kind === "directory" && (
                    <Await asked={tree} what="Listing the directory">
                      {(arrays) => <Children arrays={arrays} node={file.node} path={file.path} route={route} go={go} />}
                    </Await>
                  )}
                </>
              )}
            </Await>
          )
        }
      </Await>
    </div>
  );
}

function About({ image, file, ...view }: ViewProps & { image: number; file: FileDetails }) {
  const { images, route } = view;
  const picture = useRef<HTMLCanvasElement>(null);
  const info = images[image];
  const said = standing(file.details, images.length - 1);
  const { origin, pieces } = file.details;
  if (!info) return null;
  return (
    <article aria-labelledby="file-path">
      <h3 id="file-path" tabIndex={-1}>
        <Crumbs route={route} go={view.go} path={file.path} />
      </h3>
      {said && <p>{said}</p>}
      <div class="row">
        <RouteLink at={view} to={{ view: "tree", image, path: file.path }}>
          Show in the tree
        </RouteLink>
        {origin && (
          <RouteLink at={view} to={{ view: "layers", image, layer: origin[0], path: file.path }}>
            Show in the layer
          </RouteLink>
        )}
        <ExportMenu
          name={`shingle-file-${file.path.split("/").at(-1)}`}
          json={() => fileJson(info, images, file)}
          {...(pieces.length > 0 && { csv: () => chunksCsv(file), svg: () => chunksSvg(file) })}
          {...(pieces.length > 1 && { canvas: () => picture.current })}
        />
      </div>
      <Facts file={file} image={info} route={route} go={view.go} />
      <Chunks file={file} images={images.length} picture={picture} />
      <Holders {...view} image={image} file={file} />
      <Copies {...view} image={image} file={file} />
    </article>
  );
}

/** A path of which every directory is a link. */
function Crumbs({ path, route, go }: Pick<ViewProps, "route" | "go"> & { path: string }) {
  const parts = path === "" ? [] : path.split("/");
  return (
    <span class="path-parts">
      {parts.length === 0 ? (
        <b>/ (the root)</b>
      ) : (
        <RouteLink at={{ route, go }} to={{ path: "" }}>
          root
        </RouteLink>
      )}
      {parts.map((part, index) => (
        <span key={index}>
          {" / "}
          {index === parts.length - 1 ? (
            <b>{visible(part)}</b>
          ) : (
            <RouteLink at={{ route, go }} to={{ path: parts.slice(0, index + 1).join("/") }}>
              {visible(part)}
            </RouteLink>
          )}
        </span>
      ))}
    </span>
  );
}
