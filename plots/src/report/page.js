// Sorting, filters and choices. The page says everything without them.
(function () {
  "use strict";
  document.documentElement.classList.add("js");
  const all = (of, what) => Array.from(of.querySelectorAll(what));
  const make = (name, attributes, words) => {
    const element = document.createElement(name);
    Object.entries(attributes || {}).forEach(([key, value]) => element.setAttribute(key, value));
    if (words !== undefined) element.textContent = words;
    return element;
  };
  const copy = (words, button) => {
    const told = () => {
      const before = button.textContent;
      button.textContent = "copied";
      setTimeout(() => { button.textContent = before; }, 1200);
    };
    const byHand = () => {
      const area = make("textarea", { "aria-hidden": "true" });
      area.value = words;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      told();
    };
    if (navigator.clipboard) navigator.clipboard.writeText(words).then(told, byHand); else byHand();
  };
  const button = (words, act) => {
    const made = make("button", { type: "button" }, words);
    made.addEventListener("click", () => act(made));
    return made;
  };
  const labelled = (words, control) => {
    const label = make("label", {}, words);
    label.append(control);
    return label;
  };

  // Cells as they sort: numbers by value, words by themselves, what is missing last.
  const text = (cell) => cell.textContent.trim();
  const value = (cell) => cell.dataset.v !== undefined ? Number(cell.dataset.v) : null;
  const compare = (a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x !== null && y !== null) return x - y;
    if (x !== null || y !== null) return x !== null ? -1 : 1;
    return text(a).localeCompare(text(b), "en", { numeric: true });
  };

  const sortable = (table) => {
    const heads = all(table.tHead, "th");
    heads.forEach((head, k) => {
      const inside = make("button", { type: "button" });
      inside.append(...head.childNodes);
      head.append(inside);
      head.setAttribute("aria-sort", "none");
      inside.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((other) => other.setAttribute("aria-sort", "none"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const body = table.tBodies[0];
        const missing = (row) => head.classList.contains("n") && value(row.cells[k]) === null;
        const rows = Array.from(body.rows);
        rows.sort((a, b) => (missing(a) - missing(b)) || (down ? -1 : 1) * compare(a.cells[k], b.cells[k]));
        body.append(...rows);
      });
    });
  };

  // What is seen of a table: rows that pass the filters, columns that are shown.
  const view = (table) => {
    const heads = all(table.tHead, "th");
    const shown = heads.map((head, k) => k).filter((k) => getComputedStyle(heads[k]).display !== "none");
    const rows = Array.from(table.tBodies[0].rows).filter((row) => !row.classList.contains("hidden"));
    const plain = (cell) => cell.dataset.v !== undefined ? cell.dataset.v : text(cell);
    return {
      heads: shown.map((k) => text(heads[k])),
      numbers: shown.map((k) => heads[k].classList.contains("n")),
      values: rows.map((row) => shown.map((k) => plain(row.cells[k]))),
      words: rows.map((row) => shown.map((k) => ({ words: text(row.cells[k]), best: !!row.cells[k].querySelector("b") }))),
    };
  };
  const csv = (table) => {
    const seen = view(table);
    const cell = (words) => /[",\n]/.test(words) ? '"' + words.replace(/"/g, '""') + '"' : words;
    return [seen.heads, ...seen.values].map((row) => row.map(cell).join(",")).join("\n") + "\n";
  };
  const escaped = (words) => words.replace(/\\/g, "\\textbackslash ").replace(/[&%$#_{}]/g, "\\$&")
    .replace(/\^/g, "\\textasciicircum{}").replace(/~/g, "\\textasciitilde{}").replace(/\u2212/g, "$-$")
    .replace(/\u2009/g, "\\,").replace(/\u00a0/g, "~").replace(/\u2013/g, "--");
  const latex = (table) => {
    // A page takes six numbers in a row: more go to further tables, with the same words in front.
    const seen = view(table);
    const words = seen.numbers.map((is, k) => k).filter((k) => !seen.numbers[k]);
    const numbers = seen.numbers.map((is, k) => k).filter((k) => seen.numbers[k]);
    const tables = [];
    do { tables.push(words.concat(numbers.splice(0, 6))); } while (numbers.length > 0);
    const caption = table.caption ? escaped(text(table.caption)) : "";
    return tables.map((columns) => {
      const cell = (made) => made.best ? "\\textbf{" + escaped(made.words) + "}" : escaped(made.words);
      const line = (cells) => cells.join(" & ") + " \\\\";
      return ["% \\usepackage{booktabs}", "\\begin{table}", "\\caption{" + caption + "}",
        "\\begin{tabular}{" + columns.map((k) => seen.numbers[k] ? "r" : "l").join("") + "}", "\\toprule",
        line(columns.map((k) => escaped(seen.heads[k]))), "\\midrule",
        ...seen.words.map((row) => line(columns.map((k) => cell(row[k])))),
        "\\bottomrule", "\\end{tabular}", "\\end{table}", ""].join("\n");
    }).join("\n");
  };

  const tools = (table) => {
    const bar = make("div", { class: "tools", role: "group", "aria-label": "Rows and columns of the table below" });
    const heads = all(table.tHead, "th");
    const rows = Array.from(table.tBodies[0].rows);
    const search = make("input", { type: "search" });
    const count = make("span", { role: "status", "aria-live": "polite" });
    const choices = [];
    const filter = () => {
      const words = search.value.trim().toLowerCase();
      let seen = 0;
      rows.forEach((row) => {
        const fits = choices.every(([k, select]) => select.value === "" || text(row.cells[k]) === select.value);
        const is = fits && (words === "" || row.textContent.toLowerCase().includes(words));
        row.classList.toggle("hidden", !is);
        seen += is ? 1 : 0;
      });
      count.textContent = seen + " of " + rows.length + " rows";
    };
    heads.forEach((head, k) => {
      if (head.dataset.filter === undefined) return;
      const found = Array.from(new Set(rows.map((row) => text(row.cells[k]))));
      if (found.length < 2) return;
      const select = make("select");
      select.append(make("option", { value: "" }, "all"));
      found.forEach((words) => select.append(make("option", { value: words }, words)));
      select.addEventListener("change", filter);
      choices.push([k, select]);
      bar.append(labelled(text(head), select));
    });
    if (rows.length > 6) bar.append(labelled("Search", search));
    search.addEventListener("input", filter);
    // The first column says what a row is; the others can be taken away and brought back.
    const picked = heads.map((head, k) => k).slice(1);
    if (heads.length > 6) {
      const box = make("details");
      const field = make("fieldset");
      field.append(make("legend", {}, "Columns that are shown"));
      picked.forEach((k) => {
        const tick = make("input", { type: "checkbox" });
        const isFurther = heads[k].classList.contains("more");
        tick.checked = !isFurther;
        tick.addEventListener("change", () => {
          const [name, has] = isFurther ? ["asked", tick.checked] : ["unasked", !tick.checked];
          [heads[k], ...rows.map((row) => row.cells[k])].forEach((cell) => cell.classList.toggle(name, has));
        });
        const label = make("label", { title: heads[k].title });
        label.append(tick, text(heads[k]));
        field.append(label);
      });
      box.append(make("summary", {}, "Columns"), field);
      bar.append(box);
    }
    bar.append(button("Copy CSV", (made) => copy(csv(table), made)), button("Copy LaTeX", (made) => copy(latex(table), made)));
    if (rows.length > 6) bar.append(count);
    filter();
    table.parentElement.before(bar);
  };

  // One of several tables or figures.
  const choice = (group) => {
    const options = Array.from(group.children).filter((child) => child.classList.contains("option"));
    const bar = make("div", { class: "tools" });
    if (options.length > 1) {
      const select = make("select");
      options.forEach((option, k) => select.append(make("option", { value: k }, option.dataset.option)));
      const show = () => options.forEach((option, k) => option.classList.toggle("hidden", k !== Number(select.value)));
      select.addEventListener("change", show);
      // A link to what is hidden shows it.
      const follow = () => {
        const to = location.hash.length > 1 ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
        const k = to ? options.findIndex((option) => option === to || option.contains(to)) : -1;
        if (k >= 0) { select.value = k; show(); to.scrollIntoView(); }
      };
      window.addEventListener("hashchange", follow);
      bar.append(labelled(group.dataset.choice, select));
      show();
      follow();
    }
    if (group.querySelector(".dif")) {
      const select = make("select");
      [["", "value and change"], ["abs", "value"], ["dif", "change"], ["pct", "change in per cent"]].forEach(([key, words]) =>
        select.append(make("option", { value: key }, words)));
      select.addEventListener("change", () => {
        group.classList.remove("show-abs", "show-dif", "show-pct");
        if (select.value) group.classList.add("show-" + select.value);
      });
      bar.append(labelled("Shown", select));
    }
    if (bar.childNodes.length > 0) group.prepend(bar);
  };

  const figure = (of) => {
    const files = of.querySelector(".files");
    const caption = of.querySelector("figcaption");
    const words = Array.from(caption.childNodes).filter((node) => node !== files).map((node) => node.textContent).join("").trim();
    const source = () => ["\\begin{figure}", "\\centering", "\\includegraphics{figures/" + of.dataset.stem + ".pdf}",
      "\\caption{" + escaped(words) + "}", "\\label{fig:" + of.dataset.stem + "}", "\\end{figure}", ""].join("\n");
    files.append(button("Copy caption", (made) => copy(words, made)), " ", button("Copy LaTeX", (made) => copy(source(), made)));
  };

  all(document, "table.data").forEach((table) => { sortable(table); tools(table); });
  all(document, "table.verdicts").forEach(sortable);
  all(document, ".choice").forEach(choice);
  all(document, "figure[data-stem]").forEach(figure);
  all(document, "pre[data-copy]").forEach((pre) => {
    pre.before(button("Copy " + pre.dataset.copy, (made) => copy(pre.textContent, made)));
  });
  const folded = () => all(document, "details:not([open])");
  window.addEventListener("beforeprint", () => folded().forEach((box) => { box.open = true; box.dataset.opened = "1"; }));
  window.addEventListener("afterprint", () => all(document, "details[data-opened]").forEach((box) => { box.open = false; delete box.dataset.opened; }));
})();
