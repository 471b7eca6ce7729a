
"use strict";
(() => {
  const table = document.querySelector("table");
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const headers = Array.from(table.tHead.rows[0].cells);
  const texts = new Intl.Collator(undefined, { numeric: true });

  // What a cell sorts by, of its column's type; null for none.
  const read = {
    integer: (cell) => BigInt(cell.dataset.value),
    number: (cell) => Number(cell.dataset.value),
    boolean: (cell) => cell.dataset.value === "true",
    time: (cell) => Number(cell.dataset.value),
    text: (cell) => cell.textContent,
  };
  const key = (row, column, type) => {
    const cell = row.cells[column];
    return cell.dataset.none === undefined ? read[type](cell) : null;
  };
  const compare = (left, right) =>
    typeof left === "string" ? texts.compare(left, right) : left < right ? -1 : left > right ? 1 : 0;

  // Up, down, and as the query gave them. What has no value is last either way.
  const next = { ascending: "descending", descending: null };
  const sort = (header, column) => {
    const before = header.getAttribute("aria-sort");
    const order = before === null ? "ascending" : next[before];
    for (const other of headers) other.removeAttribute("aria-sort");
    let sorted = rows;
    if (order !== null) {
      header.setAttribute("aria-sort", order);
      const turn = order === "ascending" ? 1 : -1;
      const keyed = rows.map((row) => [key(row, column, header.dataset.type), row]);
      keyed.sort(([left], [right]) =>
        left === null || right === null ? (left === null) - (right === null) : turn * compare(left, right));
      sorted = keyed.map(([, row]) => row);
    }
    body.append(...sorted);
  };
  headers.forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.title = header.title;
    button.append(...header.childNodes);
    header.removeAttribute("title");
    header.classList.add("sortable");
    header.append(button);
    button.addEventListener("click", () => sort(header, column));
  });

  const filter = document.querySelector("input");
  const count = document.querySelector("#count");
  const all = count.textContent;
  const contents = rows.map((row) => Array.from(row.cells, (cell) => cell.textContent).join("\n").toLowerCase());
  const apply = () => {
    const wanted = filter.value.trim().toLowerCase();
    let shown = 0;
    rows.forEach((row, index) => {
      row.hidden = !contents[index].includes(wanted);
      if (!row.hidden) shown += 1;
    });
    count.textContent = wanted === "" ? all : `${shown} of ${all}`;
  };
  filter.addEventListener("input", apply);
  filter.closest("label").hidden = rows.length < 2;
  // A browser keeps what was typed when the page is loaded again.
  apply();
})();
