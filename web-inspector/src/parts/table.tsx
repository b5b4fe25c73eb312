// Tables of any length: sorted by a click on a column's head, a page at a time in the document.

import type { ComponentChildren } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";

import { count } from "../format";
import { type Direction, sortedOrder } from "./order";
import "./table.css";

export interface Column<Row> {
  name: string;
  /** What a cell shows; asked for the rows of one page only. */
  value(row: Row): ComponentChildren;
  /** What to sort by. A column without it is not sortable. */
  sort?(row: Row): number | string;
  /** Aligned right, and the largest first when sorted. */
  numeric?: boolean;
  /** The cell that names its row. The first column does unless some column says so. */
  heads?: boolean;
}

/** A column of numbers, by which rows are sorted. */
export function numeric<Row>(name: string, of: (row: Row) => number, format: (value: number) => string = count): Column<Row> {
  return { name, numeric: true, value: (row) => format(of(row)), sort: of };
}

interface TableProps<Row> {
  caption: string;
  /** For a table that stands right below a heading that says the same. */
  hideCaption?: boolean;
  /** For long tables the same array each time: it is sorted anew when a column's `sort` is another one. */
  columns: Column<Row>[];
  /** Any list, such as typed arrays of numbers that the columns know the meaning of; the same one as long as it is the same. */
  rows: ArrayLike<Row>;
  /** So many rows are in the document at a time. */
  page?: number;
  /** Said in place of an empty table. */
  empty?: string;
}

/** Longer pages scroll below their heads. */
const SHORT = 30;

export function DataTable<Row>({ caption, hideCaption, columns, rows, page = 100, empty }: TableProps<Row>) {
  const [sorted, setSorted] = useState<{ column: string; direction: Direction }>();
  // Other rows begin at their first page.
  const [at, setAt] = useState({ rows, page: 0 });
  const place = useRef<HTMLDivElement>(null);
  const by = columns.find((column) => column.name === sorted?.column && column.sort);
  const direction = sorted?.direction;
  const key = by?.sort;
  const order = useMemo(() => (key && direction ? sortedOrder(rows, key, direction) : undefined), [rows, key, direction]);

  if (rows.length === 0 && empty !== undefined) return <p class="hint">{empty}</p>;

  const pages = Math.max(1, Math.ceil(rows.length / page));
  const current = Math.min(at.rows === rows ? at.page : 0, pages - 1);
  const from = current * page;
  const to = Math.min(rows.length, from + page);
  const heads = Math.max(0, columns.findIndex((column) => column.heads));
  const turn = (to: number) => {
    setAt({ rows, page: to });
    if (place.current) place.current.scrollTop = 0;
  };
  const sort = (column: Column<Row>) => {
    turn(0);
    setSorted(next(column, sorted));
  };
  const shown: ComponentChildren[] = [];
  for (let position = from; position < to; position += 1) {
    const row = rows[order?.[position] ?? position] as Row;
    shown.push(
      <tr key={position}>
        {columns.map((column, index) =>
          index === heads ? (
            <th scope="row" class={column.numeric ? "numeric" : undefined}>
              {column.value(row)}
            </th>
          ) : (
            <td class={column.numeric ? "numeric" : undefined}>{column.value(row)}</td>
          ),
        )}
      </tr>,
    );
  }
  return (
    <div class="data-table">
      <div class={`table-scroll${to - from > SHORT ? " long" : ""}`} role="group" aria-label={caption} tabIndex={0} ref={place}>
        <table>
          <caption class={hideCaption ? "visually-hidden" : undefined}>{caption}</caption>
          <thead>
            <tr>
              {columns.map((column) => (
                <th
                  scope="col"
                  class={column.numeric ? "numeric" : undefined}
                  aria-sort={column === by ? direction : undefined}
                >
                  {column.sort ? (
                    <button type="button" onClick={() => sort(column)}>
                      {column.name}
                      <span aria-hidden="true">{column === by ? (direction === "ascending" ? " ▲" : " ▼") : " ↕"}</span>
                    </button>
                  ) : (
                    column.name
                  )}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{shown}</tbody>
        </table>
      </div>
      {pages > 1 && (
        <Pager caption={caption} pages={pages} current={current} turn={turn}>
          Rows {count(from + 1)} to {count(to)} of {count(rows.length)}
        </Pager>
      )}
    </div>
  );
}

interface PagerProps {
  caption: string;
  pages: number;
  current: number;
  turn(to: number): void;
  children: ComponentChildren;
}

function Pager({ caption, pages, current, turn, children }: PagerProps) {
  const step = (name: string, to: number, off: boolean) => (
    // Not `disabled`: whoever pressed the button keeps the focus on it.
    <button type="button" aria-disabled={off} onClick={() => off || turn(to)}>
      {name}
    </button>
  );
  return (
    <div class="pager" role="group" aria-label={`Pages of ${caption}`}>
      {step("First", 0, current === 0)}
      {step("Previous", current - 1, current === 0)}
      <span role="status">{children}</span>
      {step("Next", current + 1, current === pages - 1)}
      {step("Last", pages - 1, current === pages - 1)}
    </div>
  );
}

/** Sorted as is useful first, then the other way round, then as the rows came. */
function next<Row>(column: Column<Row>, now: { column: string; direction: Direction } | undefined) {
  const first = column.numeric ? "descending" : "ascending";
  const second = column.numeric ? "ascending" : "descending";
  if (now?.column !== column.name) return { column: column.name, direction: first } as const;
  return now.direction === first ? ({ column: column.name, direction: second } as const) : undefined;
}
