"""What bench.py measured as tables in a page of documentation, and as a plot."""

NAMES = {"innvestigate": "ours", "pytorch": "PyTorch, zennit, Captum", "onnxruntime": "ONNX Runtime", "tensorflow": "TensorFlow, iNNvestigate"}
COLOURS = {"innvestigate": "#1b6ca8", "pytorch": "#e07a3f", "onnxruntime": "#7a7a7a", "tensorflow": "#c9a227"}


def floor_of(method, f):
    """The products that a method cannot do without, in ms for the batch."""
    forward, back, forward_local, back_local = (f.get(k, 0) for k in ("forward.best", "backward.best", "forward.local", "backward.local"))
    return {"forward": forward, "gradient": forward + back, "guided_backprop": forward + back, "lrp.epsilon": forward + back_local,
            "lrp.z_plus": forward + forward_local + back_local, "lrp.alpha2_beta1": 2 * (forward_local + back_local)}.get(method, 50 * (forward + back))


def number(v):
    return "–" if v is None else f"{v:.0f}" if v >= 100 else f"{v:.1f}" if v >= 10 else f"{v:.2f}"


def rows(all_):
    """(network, batch, method, {tool: ms per image}, our least, floor per image)"""
    for key, cell in all_["cells"].items():
        name, batch, method = key.split("/")
        n = int(batch)
        f = all_["floor"].get(f"{name}/{batch}", {})
        yield name, n, method, {tool: v["ms"] / n for tool, v in cell.items() if "ms" in v}, \
            cell.get("innvestigate", {}).get("best", 0) / n, floor_of(method, f) / n


def beside(ours, ms):
    return "–" if ms is None or ours is None else f"{number(ms)} ({ms / ours:.1f}x)"


def table(all_):
    others = [t for t in NAMES if t != "innvestigate" and any(t in cell for cell in all_["cells"].values())]
    out = []
    order = sorted(rows(all_), key=lambda r: (r[1], r[-1]))  # by batch, then by floor
    for name, n in dict.fromkeys((r[0], r[1]) for r in order):
        out += [f"### {name}, batch {n}", "", "| ms an image | ours | least | floor | least / floor | " + " | ".join(NAMES[t] for t in others) + " |",
                "|---" * (5 + len(others)) + "|"]
        for _, _, method, ms, least, floor in (r for r in order if r[:2] == (name, n)):
            ours = ms.get("innvestigate")
            ratio = f"{least / floor:.2f}" if least and floor else "–"
            out.append(f"| {method} | {number(ours)} | {number(least or None)} | {number(floor or None)} | {ratio} | " + " | ".join(beside(ours, ms.get(t)) for t in others) + " |")
        out.append("")
    return out


def first_table(all_):
    out = ["### From process start to the first gradient map", "", "| | " + " | ".join(f"{NAMES[t]}: s | MiB" for t in NAMES if t != "onnxruntime") + " |",
           "|---" * 7 + "|"]
    for name in dict.fromkeys(k.split("/")[0] for k in all_["first"]):
        cells = [all_["first"].get(f"{name}/{t}", {}) for t in NAMES if t != "onnxruntime"]
        out.append(f"| {name} | " + " | ".join(f"{number(c.get('seconds'))} | {number(c.get('mib'))}" for c in cells) + " |")
    return out + [""] if all_["first"] else []


def errors(all_):
    found = [(k, tool, v["error"]) for k, cell in all_["cells"].items() for tool, v in cell.items() if "error" in v]
    return [f"* {k}, {NAMES[tool]}: {e}" for k, tool, e in found] and ["What a tool could not do:", ""] + \
        [f"* {k}, {NAMES[tool]}: {e}" for k, tool, e in found] + [""]


def plot(all_, path):
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    single = [r for r in rows(all_) if r[1] == 1]
    networks = list(dict.fromkeys(r[0] for r in single))
    if not networks:
        return
    figure, axes = pyplot.subplots(len(networks), 1, figsize=(9, 2.3 * len(networks)), squeeze=False)
    for ax, name in zip(axes[:, 0], networks):
        mine = [r for r in single if r[0] == name]
        for i, (_, _, _, ms, _, floor) in enumerate(mine):
            for k, tool in enumerate(NAMES):
                if tool in ms:
                    ax.bar(i + 0.2 * (k - 1.5), ms[tool], 0.18, color=COLOURS[tool])
            if floor:
                ax.plot([i - 0.4, i + 0.4], [floor, floor], color="black", linewidth=1.2)
        ax.set_yscale("log")
        ax.set_title(name, fontsize=9, loc="left")
        ax.set_xticks(range(len(mine)), [r[2] for r in mine], fontsize=7)
        ax.tick_params(axis="y", labelsize=7)
        ax.grid(axis="y", linewidth=0.3)
    handles = [pyplot.Rectangle((0, 0), 1, 1, color=COLOURS[t]) for t in NAMES] + [pyplot.Line2D([0], [0], color="black")]
    figure.legend(handles, [*NAMES.values(), "floor"], ncol=5, fontsize=7, loc="upper center", frameon=False)
    figure.supylabel("ms an image, batch 1", fontsize=8)
    figure.tight_layout(rect=(0, 0, 1, 0.97))
    figure.savefig(path, dpi=110)


def write(all_, page, picture):
    m = all_["machine"]
    versions = ", ".join(f"{k} {v}" for k, v in m.get("versions", {}).items())
    text = [f"{m.get('processor', '')}, {m.get('threads')} threads, {'wall' if m.get('clock') == 'wall' else 'processor'} time; {versions}.", ""]
    text += [f"![Milliseconds an image, and the floor]({picture.name})", ""] + table(all_) + first_table(all_) + errors(all_)
    begin, end = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"
    old = page.read_text() if page.exists() else begin + end
    if begin not in old or end not in old:
        raise SystemExit(f"{page} has no place for the numbers")
    page.write_text(old[:old.index(begin)] + begin + "\n".join(text) + end + old[old.index(end) + len(end):])
    plot(all_, picture)
