// Lists the traces of this folder. Behind the script, the file has a line for each page: its name and what is in it.
// Processes append lines while this page is read, so the last one may be incomplete.
document.addEventListener("DOMContentLoaded", () => {
  const ROW = 26;
  const MOST_TRACES = 10000;
  const MOST_WAYS = 6;
  const PAGE = /^trace-(\d{17})-([0-9a-f]{32})(?:-\d{1,4})?\.html$/;
  const ASKED = /^#([0-9a-f]{32})(?:-([0-9a-f]{16}))?$/;
  // How many digits of an id tell one from another for people.
  const SHORT = 8;

  const [rows, all, search, notice] = ["rows", "all", "search", "notice"].map(byId);

  // ---- the traces

  const NOTHING = { name: "", service: "", length: 0, spans: 0, failed: 0, cancelled: 0, links: [], notes: [] };

  const parse = (line) => {
    try {
      return JSON.parse(line);
    } catch {
      return null;
    }
  };

  const read = () => {
    const pages = new Map();
    for (const line of byId("traces").textContent.split("\n")) {
      const [page, summary] = parse(line) ?? [];
      const [, start, id] = PAGE.exec(page ?? "") ?? [];
      if (id) pages.set(page, { ...NOTHING, ...summary, page, id, start: Number(start), into: [] });
    }
    const newest = [...pages.values()].sort((a, b) => (a.page < b.page ? 1 : -1));
    return newest.slice(0, MOST_TRACES);
  };

  const traces = read();
  const parts = new Map();
  // The first part of a trace comes first.
  for (const trace of [...traces].reverse()) {
    if (!parts.has(trace.id)) parts.set(trace.id, []);
    parts.get(trace.id).push(trace);
  }
  for (const trace of traces) {
    for (const id of trace.links) (parts.get(id) ?? []).forEach((part) => part.into.push(trace.id));
  }

  const time = (micros) => {
    const seconds = new Date(Math.floor(micros / 1e3)).toISOString().replace("T", " ").replace("Z", "");
    return `${seconds}${String(micros % 1000).padStart(3, "0")}`;
  };
  const nameOf = (trace) => onLine(trace.name || `${trace.id.slice(0, SHORT)}…`);

  // ---- what is shown

  const errors = (trace) => trace.failed * 1e6 + trace.cancelled;
  const COLUMNS = [
    ["start", "Time (UTC)", (trace) => trace.start],
    ["name", "Name", (trace) => trace.name.toLowerCase()],
    ["service", "Service", (trace) => trace.service.toLowerCase()],
    ["length", "Duration", (trace) => trace.length],
    ["spans", "Spans", (trace) => trace.spans],
    ["errors", "Errors", errors],
    ["links", "Links", (trace) => trace.links.length + trace.into.length],
  ];
  const isText = (key) => key === "name" || key === "service";
  const isNumber = (key) => ["length", "spans", "errors"].includes(key);
  let order = { key: "start", isUp: false };
  let visible = [];
  let chosen = null;

  const sort = () => {
    const [, , value] = COLUMNS.find(([key]) => key === order.key);
    const up = order.isUp ? 1 : -1;
    // Of equal ones the newest comes first: the sort keeps the order it finds.
    traces.sort((a, b) => b.start - a.start);
    traces.sort((a, b) => {
      const [left, right] = [value(a), value(b)];
      return left < right ? -up : left > right ? up : 0;
    });
  };

  const texts = (trace) => [trace.name, trace.service, trace.id, ...trace.notes].join("\n").toLowerCase();

  const find = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter((word) => word);
    const isFound = (trace) => {
      trace.searched ??= texts(trace);
      return words.every((word) => trace.searched.includes(word));
    };
    visible = words.length ? traces.filter(isFound) : [...traces];
    visible.forEach((trace, row) => (trace.row = row));
    all.style.height = `${visible.length * ROW}px`;
    byId("found").textContent = words.length ? `${visible.length.toLocaleString("en")} of ${traces.length.toLocaleString("en")}` : "";
    if (!isVisible(chosen)) chosen = visible[0] ?? null;
    draw();
  };

  const isVisible = (trace) => trace !== null && visible[trace.row] === trace;

  // ---- rows

  const head = () => {
    const cells = COLUMNS.map(([key, title]) => {
      const cell = make("div", isNumber(key) ? "number" : "");
      cell.setAttribute("role", "columnheader");
      const isOrder = key === order.key;
      cell.setAttribute("aria-sort", !isOrder ? "none" : order.isUp ? "ascending" : "descending");
      const button = make("button", "", isOrder ? `${title} ${order.isUp ? "▲" : "▼"}` : title);
      button.type = "button";
      button.dataset.key = key;
      cell.append(button);
      return cell;
    });
    byId("head").replaceChildren(...cells);
  };

  const way = (arrow, id) => {
    const [first, ...others] = parts.get(id) ?? [];
    if (!first) return make("span", "", `${arrow} ${onLine(id.slice(0, SHORT))}… `);
    return anchor(`${arrow} ${nameOf(first)}`, others.length ? `#${id}` : first.page);
  };

  const ways = (trace) => {
    const element = make("div", "ways");
    const found = [...trace.links.map((id) => way("→", id)), ...[...new Set(trace.into)].map((id) => way("←", id))];
    element.append(...found.slice(0, MOST_WAYS));
    if (found.length > MOST_WAYS) element.append(`and ${found.length - MOST_WAYS} more`);
    return element;
  };

  const troubles = (trace) => {
    const element = make("div", "number");
    if (trace.failed) element.append(make("span", "bad", String(trace.failed)));
    if (trace.cancelled) element.append(make("span", "stopped", ` ${trace.cancelled} cancelled`));
    return element;
  };

  const name = (trace) => {
    const element = make("div", "name");
    element.append(anchor(nameOf(trace), trace.page));
    trace.notes.forEach((note) => element.append(make("span", "tag", onLine(note))));
    return element;
  };

  const row = (trace) => {
    const element = make("div", `row list${trace === chosen ? " chosen" : ""}`);
    element.id = `row-${trace.row}`;
    element.dataset.row = trace.row;
    element.style.top = `${trace.row * ROW}px`;
    element.setAttribute("role", "row");
    const cells = [
      make("div", "at", time(trace.start)),
      name(trace),
      make("div", "", onLine(trace.service)),
      make("div", "number", trace.spans ? human(trace.length) : ""),
      make("div", "number", trace.spans ? trace.spans.toLocaleString("en") : ""),
      troubles(trace),
      ways(trace),
    ];
    cells.forEach((cell) => cell.setAttribute("role", "cell"));
    element.append(...cells);
    return element;
  };

  const draw = () => {
    const first = Math.max(0, Math.floor(rows.scrollTop / ROW) - 10);
    const last = Math.min(visible.length, Math.ceil((rows.scrollTop + rows.clientHeight) / ROW) + 10);
    all.replaceChildren(...visible.slice(first, last).map(row));
    if (isVisible(chosen)) rows.setAttribute("aria-activedescendant", `row-${chosen.row}`);
    else rows.removeAttribute("aria-activedescendant");
  };

  const choose = (trace) => {
    chosen = trace;
    if (trace) {
      const at = trace.row * ROW;
      if (at < rows.scrollTop) rows.scrollTop = at;
      else if (at + ROW > rows.scrollTop + rows.clientHeight) rows.scrollTop = at + ROW - rows.clientHeight;
    }
    draw();
  };

  const move = (by) => {
    const at = isVisible(chosen) ? chosen.row + by : 0;
    choose(visible[Math.max(0, Math.min(visible.length - 1, at))] ?? null);
  };

  // ---- a trace that another page asks for

  const say = (text) => {
    notice.textContent = text;
    notice.hidden = text === "";
  };

  const openAsked = () => {
    const [, id, span] = ASKED.exec(location.hash) ?? [];
    if (!id) return;
    const pages = (parts.get(id) ?? []).map((trace) => trace.page);
    if (pages.length === 0) {
      say(`No page of trace ${id} is in this folder. It may not be finished, or its page was removed: reload later.`);
    } else if (pages.length === 1 || span) {
      // Parts of the trace that do not have the span lead on to the next page.
      const hash = span ? `#${[span, ...pages.slice(1)].join(",")}` : "";
      location.replace(pages[0] + hash);
    } else {
      say("");
      search.value = id;
      find();
    }
  };

  // ---- events

  const keys = {
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    PageDown: () => move(20),
    PageUp: () => move(-20),
    Home: () => choose(visible[0] ?? null),
    End: () => choose(visible[visible.length - 1] ?? null),
    Enter: () => isVisible(chosen) && location.assign(chosen.page),
    "/": () => search.focus(),
    Escape: () => endSearch(),
  };

  const endSearch = () => {
    search.value = "";
    find();
    rows.focus();
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { target, key } = event;
    if (target === search) {
      if (key === "Escape") endSearch();
      else if (key === "Enter" || key === "ArrowDown") rows.focus();
      else return;
    } else if (["BUTTON", "A"].includes(target.tagName) && (key === "Enter" || key === " ")) return;
    else if (Object.hasOwn(keys, key)) keys[key]();
    else return;
    event.preventDefault();
  });

  byId("head").addEventListener("click", (event) => {
    const key = event.target.dataset.key;
    if (!key) return;
    // Names begin with A, and all else with the most.
    order = { key, isUp: key === order.key ? !order.isUp : isText(key) };
    sort();
    head();
    find();
    byId("head").querySelector(`[data-key=${key}]`).focus();
  });

  all.addEventListener("click", (event) => {
    const element = event.target.closest(".row");
    const trace = element && visible[Number(element.dataset.row)];
    if (trace && event.target.tagName !== "A") choose(trace);
  });

  let waiting = false;
  rows.addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  });
  search.addEventListener("input", () => {
    rows.scrollTop = 0;
    find();
  });
  window.addEventListener("resize", draw);
  window.addEventListener("hashchange", openAsked);

  const inPages = parts.size === traces.length ? "" : ` in ${count(traces.length, "page")}`;
  byId("facts").append(make("span", "", count(parts.size, "trace") + inPages));
  const failed = traces.filter((trace) => trace.failed).length;
  if (failed) byId("facts").append(make("span", "bad", `${failed.toLocaleString("en")} with errors`));
  sort();
  head();
  find();
  rows.focus();
  openAsked();
});
