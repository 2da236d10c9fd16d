// What a reader chooses to see of stored data: a participant over time, the feeder at a period.
(function () {
  "use strict";
  const svg = (name, attributes, words) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    Object.entries(attributes || {}).forEach(([key, value]) => element.setAttribute(key, value));
    if (words !== undefined) element.textContent = words;
    return element;
  };
  const html = (name, attributes, words) => {
    const element = document.createElement(name);
    Object.entries(attributes || {}).forEach(([key, value]) => element.setAttribute(key, value));
    if (words !== undefined) element.textContent = words;
    return element;
  };
  const digits = (value) => value === null || value === undefined ? "\u2013"
    : (Math.abs(value) >= 1e4 || value === 0 ? String(Math.round(value)) : String(Number(value.toPrecision(4)))).replace("-", "\u2212");
  const select = (words, options, act) => {
    const label = html("label", {}, words);
    const control = html("select");
    options.forEach(([value, text]) => control.append(html("option", { value }, text)));
    control.addEventListener("change", act);
    label.append(control);
    return { label, control };
  };
  const slider = (words, last, act) => {
    const label = html("label", {}, words);
    const control = html("input", { type: "range", min: 0, max: last, step: 1, value: 0 });
    control.addEventListener("input", act);
    label.append(control);
    return { label, control };
  };
  const clock = (data, period) => {
    if (!data.hours) return "period " + period;
    const at = (h) => { const m = Math.round(h * 60); return Math.floor(m / 60) + ":" + String(m % 60).padStart(2, "0"); };
    return "period " + period + " (" + at(period * data.hours) + "\u2013" + at((period + 1) * data.hours) + ")";
  };

  // Lines as steps over periods, in panels below each other.
  const COLORS = ["#000000", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#56b4e9", "#e69f00"];
  const DASHES = ["", "6 3", "2 2", "8 3 2 3"];
  const operation = (box, data) => {
    const draw = () => {
      const run = data.runs[Number(runs.control.value)];
      const of = run.of[people.control.value] || { power: [], energy: [], prices: [] };
      const period = Number(time.control.value);
      const grid = [["retail price", data.buy], ["feed-in price", data.sell]].filter((line) => line[1].length > 0);
      const panels = [["Power (kW), positive towards the grid", of.power], ["Energy stored (kWh)", of.energy],
        ["Price (" + data.currency + "/kWh)", of.prices.concat(grid)]].filter((panel) => panel[1].length > 0);
      const [width, left, right, height, gap] = [760, 56, 8, 150, 34];
      const whole = svg("svg", { viewBox: "0 0 " + width + " " + (panels.length * (height + gap) + 20), role: "img",
        "aria-label": people.control.selectedOptions[0].textContent + ", " + run.name, "font-size": 11 });
      const x = (t) => left + (width - left - right) * t / data.periods;
      panels.forEach(([title, lines], k) => {
        const top = k * (height + gap) + 22;
        const values = lines.flatMap((line) => line[1]).filter((v) => v !== null);
        const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
        const y = (v) => top + height * (high - v) / ((high - low) || 1);
        whole.append(svg("text", { x: left, y: top - 7, "font-weight": "bold" }, title));
        whole.append(svg("rect", { x: x(period), y: top, width: x(1) - x(0), height, fill: "#f3e3b3" }));
        [low, 0, high].filter((v, i, list) => list.indexOf(v) === i).forEach((v) => {
          whole.append(svg("line", { x1: left, x2: width - right, y1: y(v), y2: y(v), stroke: v === 0 ? "#555" : "#ccc" }));
          whole.append(svg("text", { x: left - 5, y: y(v) + 4, "text-anchor": "end" }, digits(v)));
        });
        lines.forEach(([name, line], i) => {
          let path = "";
          line.forEach((v, t) => { path += v === null ? "" : (path === "" || line[t - 1] === null ? "M" : "L") + x(t) + " " + y(v) + "H" + x(t + 1); });
          const stroke = svg("path", { d: path, fill: "none", stroke: COLORS[i % COLORS.length], "stroke-width": 1.8,
            "stroke-dasharray": DASHES[Math.floor(i / 2) % DASHES.length] });
          stroke.append(svg("title", {}, name));
          whole.append(stroke);
        });
      });
      const foot = panels.length * (height + gap) + 4;
      [0, data.periods].forEach((t) => whole.append(svg("text", { x: x(t), y: foot, "text-anchor": t === 0 ? "start" : "end" },
        data.hours ? digits(t * data.hours) + " h" : String(t))));
      picture.replaceChildren(whole);
      const rows = panels.flatMap(([title, lines]) => lines.map(([name, line], i) => [title, name, line[period], i]));
      told.replaceChildren(html("caption", {}, "In " + clock(data, period) + "."), ...rows.map(([title, name, value, i]) => {
        const row = html("tr");
        const key = svg("svg", { width: 28, height: 8, "aria-hidden": "true" });
        key.append(svg("line", { x1: 0, x2: 28, y1: 4, y2: 4, stroke: COLORS[i % COLORS.length], "stroke-width": 2,
          "stroke-dasharray": DASHES[Math.floor(i / 2) % DASHES.length] }));
        const head = html("th", { scope: "row" });
        head.append(key, " " + name);
        row.append(head, html("td", { class: "n" }, digits(value)), html("td", {}, (title.match(/\(([^)]*)\)/) || ["", ""])[1]));
        return row;
      }));
    };
    const runs = select("Run", data.runs.map((run, k) => [k, run.name]), draw);
    const people = select("Participant", data.participants.map((name, k) => [k, name]), draw);
    const time = slider("Period", data.periods - 1, draw);
    const bar = html("div", { class: "tools" });
    bar.append(runs.label, people.label, time.label);
    const picture = html("div", { class: "scroll wide", tabindex: 0, role: "region", "aria-label": "A participant over time" });
    const told = html("table", { class: "plain" });
    box.append(bar, picture, told);
    draw();
  };

  const mixed = (colors, share) => {
    const at = Math.min(Math.max(share, 0), 1) * (colors.length - 1);
    const k = Math.min(Math.floor(at), colors.length - 2);
    const part = (color, i) => parseInt(color.slice(1 + 2 * i, 3 + 2 * i), 16);
    return [0, 1, 2].map((i) => Math.round(part(colors[k], i) + (part(colors[k + 1], i) - part(colors[k], i)) * (at - k)));
  };
  const feeder = (box, data) => {
    const drawing = box.querySelector("svg.feeder");
    const told = box.querySelector(".told");
    const each = (what, act) => Array.from(drawing.querySelectorAll(what)).forEach(act);
    const known = () => data.quantities.filter((quantity) => data.runs[Number(runs.control.value)][quantity.key]);
    const offer = () => {
      const before = by.control.value;
      by.control.replaceChildren(...known().map((quantity) => html("option", { value: quantity.key }, quantity.name)));
      if (known().some((quantity) => quantity.key === before)) by.control.value = before;
    };
    const draw = () => {
      const run = data.runs[Number(runs.control.value)];
      const quantity = data.quantities.find((one) => one.key === by.control.value);
      if (!quantity) return;
      const values = run[quantity.key];
      const period = Number(time.control.value);
      const isPower = quantity.key === "power";
      const size = (v) => isPower ? Math.abs(v) : v;
      const all = values.filter((v) => v !== null).map(size);
      let [low, high] = [Math.min(...all), Math.max(...all)];
      if (quantity.key === "voltage") { const half = Math.max(1 - low, high - 1); [low, high] = [1 - half, 1 + half]; }
      if (isPower) low = 0;
      const color = (v) => v === null || v === undefined ? [255, 255, 255] : mixed(quantity.colors, high > low ? (size(v) - low) / (high - low) : 0.5);
      const css = (rgb) => "rgb(" + rgb.join(",") + ")";
      const shown = data.buses.map((bus, k) => [bus, values[period * data.buses.length + k]]);
      const words = (v) => v === null || v === undefined ? "not known" : digits(v) + " " + quantity.unit;
      const found = new Map(shown);
      each("[data-bus]", (mark) => {
        const v = isPower ? null : found.get(Number(mark.dataset.bus));
        mark.setAttribute("fill", css(color(v)));
        mark.querySelector("title").textContent = "bus " + mark.dataset.bus + (isPower ? "" : ": " + words(v));
      });
      each("[data-number]", (mark) => {
        const [r, g, b] = isPower ? [255, 255, 255] : color(found.get(Number(mark.dataset.number)));
        mark.setAttribute("fill", 0.3 * r + 0.59 * g + 0.11 * b > 130 ? "#000" : "#fff");
      });
      each("[data-branch]", (mark) => {
        const v = isPower ? found.get(Number(mark.dataset.branch)) : null;
        mark.setAttribute("stroke", isPower ? css(color(v)) : "#6b6b6b");
        mark.setAttribute("stroke-width", isPower && high > 0 ? 2 + 6 * Math.abs(v || 0) / high : 2.5);
        mark.querySelector("title").textContent = "branch to bus " + mark.dataset.branch + (isPower ? ": " + words(v) + " outwards" : "");
      });
      each("[data-step]", (mark) => mark.setAttribute("fill", quantity.colors[Number(mark.dataset.step)]));
      each("[data-end]", (mark) => { mark.textContent = digits(mark.dataset.end === "0" ? low : high) + " " + quantity.unit; });
      const sized = shown.filter((pair) => pair[1] !== null && pair[1] !== undefined);
      const least = sized.reduce((a, b) => size(b[1]) < size(a[1]) ? b : a, sized[0]);
      const most = sized.reduce((a, b) => size(b[1]) > size(a[1]) ? b : a, sized[0]);
      const noun = isPower ? "the branch to bus " : "bus ";
      told.textContent = quantity.name + ", " + run.name + ", in " + clock(data, period) + (sized.length === 0 ? ": not known."
        : ": least " + words(least[1]) + " at " + noun + least[0] + ", most " + words(most[1]) + " at " + noun + most[0] + ".");
    };
    const runs = select("Run", data.runs.map((run, k) => [k, run.name]), () => { offer(); draw(); });
    const by = select("Colour", [], draw);
    const time = slider("Period", data.periods - 1, draw);
    const bar = html("div", { class: "tools" });
    bar.append(runs.label, by.label, time.label);
    box.prepend(bar);
    offer();
    draw();
  };

  const kinds = { operation, feeder };
  Array.from(document.querySelectorAll("[data-explore]")).forEach((box) => {
    kinds[box.dataset.explore](box, JSON.parse(box.querySelector("script").textContent));
  });
})();
