"use strict";
/* The page says everything without this file. It adds a switch between light and dark, and "what if a constant were …". */
(() => {
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);

  const theme = byId("theme");
  const isDark = () => root.dataset.theme === "dark"
    || (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  const label = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
  theme.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; label(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", label);
  theme.hidden = false;
  label();

  /* Sheets of paper show what a click would show on the screen. */
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((each) => { each.open = true; }));

  const bills = JSON.parse(byId("bills").textContent);
  const [control, which, slide, value] = ["what-if", "constant", "slide", "value"].map(byId);
  const units = [["J", 1e12], ["mJ", 1e9], ["µJ", 1e6], ["nJ", 1e3], ["pJ", 1]];

  const energy = (pj) => {
    const [unit, size] = units.find(([, each]) => pj >= each * 0.99995) || units[units.length - 1];
    const digits = pj >= size ? Math.max(0, 3 - Math.floor(Math.log10(pj / size))) : 3;
    return `${(pj / size).toFixed(Math.min(3, digits))} ${unit}`;
  };
  const times = (ratio) => (Number.isFinite(ratio) ? `${Number(ratio.toPrecision(3))}×` : "–");

  /* E = Σ count · constant, per sample, with the chosen constant at its new value. */
  const total = (terms, pj) => terms.reduce(
    (sum, [constant, count, own]) => sum + count * (constant === which.value ? pj : own), 0);

  const show = () => {
    const pj = Number(value.value);
    if (value.value === "" || !(pj >= 0)) return;
    const billed = bills.constants[which.value];
    slide.setAttribute("aria-valuetext", `${pj} pJ`);
    for (const row of control.querySelectorAll("tbody tr")) {
      let own = NaN, last = NaN;
      for (const cell of row.querySelectorAll("td")) {
        if (cell.dataset.bill !== undefined) {
          const terms = bills.bills[cell.dataset.bill];
          const before = total(terms, billed);
          last = total(terms, pj);
          cell.textContent = energy(last);
          cell.dataset.pj = String(last);
          cell.classList.toggle("changed", Math.abs(last - before) > 1e-9 * before);
          if (cell === row.cells[1]) own = last / before;
        } else if (cell.dataset.change !== undefined) {
          cell.textContent = times(own);
        } else if (cell.dataset.ratio !== undefined) {
          cell.textContent = times(last / Number(row.cells[1].dataset.pj));
        }
      }
    }
  };
  const toSlide = () => { slide.value = String(Math.log10(Math.max(Number(value.value), 1e-9) / bills.constants[which.value])); };
  const choose = () => { value.value = String(bills.constants[which.value]); toSlide(); show(); };

  which.addEventListener("change", choose);
  value.addEventListener("input", () => { toSlide(); show(); });
  slide.addEventListener("input", () => {
    value.value = String(Number((bills.constants[which.value] * 10 ** Number(slide.value)).toPrecision(3)));
    show();
  });
  byId("as-billed").addEventListener("click", choose);

  /* …#what=45nm-fp32/ac&pj=0.1 opens the page with that question, for a link. */
  const ask = () => {
    const asked = new URLSearchParams(location.hash.slice(1));
    if (asked.has("what") && Object.hasOwn(bills.constants, asked.get("what"))) {
      which.value = asked.get("what");
      choose();
    }
    if (asked.has("pj") && Number(asked.get("pj")) >= 0) {
      value.value = String(Number(asked.get("pj")));
      toSlide();
      show();
    }
  };
  addEventListener("hashchange", ask);
  control.hidden = false;
  choose();
  ask();
})();
