"""The tables of the seed's experiment, from the raw figures of its runs."""

from statistics import median

MIB = 1 << 20
# key, heading, divisor, decimals
COLUMNS = [
    ("wall", "wall s", 1, 2),
    ("synced", "wall+sync s", 1, 2),
    ("cpu", "user+sys s", 1, 2),
    ("peak_rss", "peak RSS MiB", MIB, 1),
    ("bytes", "wire MiB", MIB, 2),
    ("disk", "disk MiB", MIB, 1),
]


def table(title, headings, rows):
    """Prints rows of strings: the first column to the left, the others to the right."""
    widths = [max(len(row[i]) for row in [headings, *rows]) for i in range(len(headings))]
    print(f"\n{title}")
    for row in [headings, ["-" * width for width in widths], *rows]:
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  ".join([row[0].ljust(widths[0]), *cells]).rstrip())


def typical(runs, name, key, images):
    """The median over all runs of one figure, over the pulls of `images` that succeeded; None when none did."""
    figures = [
        cost[key]
        for run in runs
        for i, cost in enumerate(run["pulls"][name])
        if i in images and cost["status"] == 0
    ]
    return median(figures) if figures else None


def number(value, divisor=1, decimals=2):
    return "-" if value is None else f"{value / divisor:.{decimals}f}"


def show(runs):
    names = list(runs[0]["pulls"])
    count = len(runs[0]["pulls"][names[0]])
    phases = [("Cold pull (c0)", range(1))]
    if count > 1:
        phases.append((f"Next pull (median of c1..c{count - 1})", range(1, count)))
    for title, images in phases:
        rows = [
            [name, *(number(typical(runs, name, key, images), *scale) for key, _, *scale in COLUMNS)] for name in names
        ]
        table(f"{title}, median of {len(runs)} run(s)", ["", *(heading for _, heading, _, _ in COLUMNS)], rows)
        ratios(runs, names, title, images)
    wire(runs[-1])
    sharing(runs[-1], names)


def ratios(runs, names, title, images):
    peer = next((name for name in names if name.startswith("podman")), None)
    others = [name for name in names if name != peer]
    if not peer or not others:
        return
    rows = []
    for name in others:
        cells = []
        for key, *_ in COLUMNS:
            ours, theirs = typical(runs, name, key, images), typical(runs, peer, key, images)
            cells.append(number(ours / theirs if ours is not None and theirs else None))
        rows.append([name, *cells])
    table(f"{title}: shingle / podman (below 1 is better)", ["", *(key for key, *_ in COLUMNS)], rows)


def wire(run):
    """Per image: MiB sent by the registry, and in how many requests; or why the pull failed."""
    names = list(run["pulls"])
    rows = []
    for i in range(len(run["pulls"][names[0]])):
        costs = [run["pulls"][name][i] for name in names]
        rows.append([f"c{i}", *(
            "refused" if cost["status"] else f"{cost['bytes'] / MIB:.2f} in {cost['wire']['requests']}"
            for cost in costs
        )])
    table("On the wire: MiB in requests", ["", *names], rows)


def sharing(run, names):
    rows = []
    for name in names:
        shared = run["shared"][name]
        if "du" not in shared:
            print(f"\n{name}: no trees at {shared.get('missing')}")
            continue
        extents = shared["extents"]
        flags = [extent["flags"].split(",") for file in extents for extent in file]
        places = [[extent["physical"] for extent in file] for file in extents]
        rows.append([
            name,
            " + ".join(number(size, MIB, 0) for size in shared["du"][:3]) + (" + …" if len(shared["du"]) > 3 else ""),
            number(shared["du_total"], MIB, 1),
            number(shared["disk"], MIB, 1),
            " ".join(map(str, shared["inodes"])),
            "-" if len(places) < 2 else "same" if places[0] == places[1] else "differ",
            "yes" if flags and all("shared" in flag for flag in flags) else "no",
        ])
    if not rows:
        return
    table(
        "Sharing, after the last pull (ls: usr/bin/ls of the first two images)",
        ["", "du of trees MiB", "total", "disk MiB", "ls inodes", "ls extents", "flag shared"],
        rows,
    )
    for name in names:
        lines = run["shared"][name].get("btrfs", [])
        rows = [
            [f"tree {i}", *(number(int(figure) if figure.isdigit() else None, MIB) for figure in line.values())]
            for i, line in enumerate(lines)
        ]
        if rows:
            table(f"btrfs filesystem du -s, {name}, MiB", ["", "total", "exclusive", "set shared"], rows)
