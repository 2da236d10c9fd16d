// Cards of the gallery by what they have.
(function () {
  "use strict";
  Array.from(document.querySelectorAll("[data-cards]")).forEach((box) => {
    const cards = Array.from(box.querySelectorAll(".card"));
    const bar = document.createElement("div");
    bar.className = "tools";
    const count = document.createElement("span");
    count.setAttribute("role", "status");
    const controls = [["mechanism", "Mechanism"], ["policy", "Carbon policy"], ["network", "Network"], ["kind", "Figure"]].map(([key, words]) => {
      const has = (card) => (card.dataset[key] || "").split("|").filter((name) => name !== "");
      const label = document.createElement("label");
      const select = document.createElement("select");
      const names = Array.from(new Set(cards.flatMap(has))).sort();
      [""].concat(names).forEach((name) => {
        const option = document.createElement("option");
        option.value = name;
        option.textContent = name || "all";
        select.append(option);
      });
      label.append(words, select);
      bar.append(label);
      return { select, has };
    });
    const show = () => {
      let shown = 0;
      cards.forEach((card) => {
        const fits = controls.every(({ select, has }) => select.value === "" || has(card).includes(select.value));
        card.classList.toggle("hidden", !fits);
        shown += fits ? 1 : 0;
      });
      count.textContent = shown + " of " + cards.length + " experiments";
    };
    controls.forEach(({ select }) => select.addEventListener("change", show));
    bar.append(count);
    box.before(bar);
    show();
  });
})();
