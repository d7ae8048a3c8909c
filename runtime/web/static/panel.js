// The panel beside the picture: counts per class, speed, and what made them.

const SCALE_SOURCES = {
  given: "given",
  um_per_px: "from the camera's µm per pixel",
  estimated: "measured in the first pictures",
};

const DROP_CAUSES = {
  busy: "All workers were busy",
  measuring: "Used to measure the scale",
  failed: "Segmentation failed",
  missed: "Lost by the camera",
};

const STAGES = {
  wait: "Wait for a worker",
  scale: "Scale",
  preprocess: "Preprocessing",
  engine: "Engine",
  count: "Counting",
  latency: "Capture to result",
  encode: "Encode for the page",
};

const text = (id, value) => {
  const element = document.getElementById(id);
  if (element.textContent !== value) element.textContent = value;
};

export class Panel {
  #onClass;
  #cards = new Map();

  constructor(onClass) {
    this.#onClass = onClass;
    document.getElementById("measure-scale").addEventListener("click", () => text("red-cell", "measuring…"));
  }

  // The action of a digit key: the first class is 1.
  keyFor(key) {
    const card = [...this.#cards.values()][Number(key) - 1];
    return card ? () => card.button.click() : null;
  }

  showResult(header) {
    for (const { id, visible, in_frame: inFrame } of header.counts) {
      const card = this.#cards.get(id);
      if (!card) continue;
      card.visible.textContent = String(visible);
      card.inFrame.textContent = String(inFrame);
    }
    text("red-cell", `${header.red_cell_px.toFixed(1)} px, ${SCALE_SOURCES[header.scale_source]}`);
    document.getElementById("measure-scale").hidden = header.scale_source !== "estimated";
  }

  showStatus(status) {
    if (this.#cards.size === 0) this.#addCards(status.classes);
    text("source-name", status.source.name);
    text("rate", status.rate_hz.toFixed(1));
    const latency = status.stages.latency;
    text("latency-p50", latency ? latency.p50_ms.toFixed(0) : "–");
    text("latency-p99", latency ? latency.p99_ms.toFixed(0) : "–");
    text("drops", Object.values(status.drops).reduce((sum, count) => sum + count, 0).toLocaleString("en"));
    const model = status.model;
    text("setting", model.setting);
    // A library's build number is for the tooltip.
    text("engine", `${model.version.split("-")[0]}, ${model.precision}`);
    text("device", `${model.device.replaceAll("(R)", "")}, ${model.workers}\u00a0frames at once`);
    document.getElementById("engine").title = [model.version, ...model.remarks, ...model.passed_over].join("\n");
    text("bundle", `${model.bundle} (${model.model})`);
    const rows = Object.entries(status.stages)
      .map(([stage, spent]) => [STAGES[stage] ?? stage, spent.p50_ms.toFixed(1), spent.p99_ms.toFixed(1)]);
    fillTable("stages", rows);
    fillTable("drop-causes", Object.entries(status.drops).map(([cause, count]) => [DROP_CAUSES[cause] ?? cause, count]));
  }

  #addCards(classes) {
    const counts = document.getElementById("counts");
    for (const { id, label, colour, countable } of classes) {
      if (!countable) continue;
      const button = element("button", "count");
      button.type = "button";
      button.dataset.classId = id;
      button.style.setProperty("--class-colour", colour);
      button.setAttribute("aria-pressed", "true");
      button.title = "Show or hide this mask";
      const inFrame = element("b", "", "–");
      const inLine = element("span", "count-in");
      inLine.append(inFrame, " in frame");
      const visible = element("span", "count-visible", "–");
      button.append(element("span", "count-name", label), inLine, visible);
      button.addEventListener("click", () => {
        const shown = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(shown));
        this.#onClass(id, shown);
      });
      counts.append(button);
      this.#cards.set(id, { button, visible, inFrame });
    }
  }
}

function element(name, className, content = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = content;
  return made;
}

function fillTable(id, rows) {
  const made = rows.map((cells) => {
    const row = document.createElement("tr");
    for (const cell of cells) row.append(element("td", "", String(cell)));
    return row;
  });
  document.getElementById(id).replaceChildren(...made);
}
