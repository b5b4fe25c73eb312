// What the states mean, and how much of the layer is in each.

import { bytes, count, percent } from "../../format";
import { Swatch } from "../../parts/bar";
import type { Frames } from "./frames";
import { LOOKS, MEANINGS } from "./looks";

export function States({ frames }: { frames: Frames }) {
  const { bytes: sums, frames: some, runs } = frames.totals;
  return (
    <div class="scroll states" role="group" aria-label="States of frames" tabIndex={0}>
      <table>
        <caption>Frames by what a pull does to them</caption>
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col" class="number">
              Bytes
            </th>
            <th scope="col" class="number">
              Of the blob
            </th>
            <th scope="col" class="number">
              Frames
            </th>
            <th scope="col" class="number">
              Runs
            </th>
            <th scope="col">Meaning</th>
          </tr>
        </thead>
        <tbody>
          {LOOKS.map((look, state) => (
            <tr key={look.name}>
              <th scope="row">
                <Swatch {...look} />
                {look.name}
              </th>
              <td class="number">{bytes(sums[state]!)}</td>
              <td class="number">{percent(sums[state]!, frames.blobBytes)}</td>
              <td class="number">{count(some[state]!)}</td>
              <td class="number">{count(runs[state]!)}</td>
              <td>{MEANINGS[state]}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
