// Shows the messages: a table in pages, searched and filtered, each row opening into its fields.
(() => {
  const PAGE = 100;
  const { $, harmful, shown, make, unpack, toggleTheme, watchLadders, thinOut } = shell;

  // ---- Values

  // A value of a record in one line: what a reader wants first, the number behind it.
  const plain = (value) => {
    if (value === null || value === undefined) return "";
    if (typeof value !== "object") return String(value);
    if (Array.isArray(value)) return value.map(plain).join(", ");
    if (value.names) return value.names.length ? `${value.names.join("|")} (${hex(value.value)})` : hex(value.value);
    if (value.time) return `${value.time} (${value.value})`;
    if (value.null) return `${value.value} (${value.null})`;
    if (value.name && value.index !== undefined) return `${plain(value.name)}[${value.index}] = ${plain(value.value)}`;
    if (typeof value.name === "string" && typeof value.value === "number") return `${value.name} (${value.value})`;
    if (value.name && value.value !== undefined) return `${plain(value.name)} = ${plain(value.value)}`;
    if (value.hex !== undefined) return value.text === undefined ? `hex ${value.hex}` : `${value.text} (hex ${value.hex})`;
    if (value.value !== undefined) return String(value.value);
    return Object.entries(value).map(([key, part]) => `${key} ${plain(part)}`).join(", ");
  };
  const hex = (number) => `0x${number.toString(16).padStart(8, "0")}`;

  // ---- The messages

  const entries = []; // Rows and what stands between them, in order.
  const rows = new Map(); // Rows by number.
  let found = [];
  let page = 0;
  let current = null; // Number of the row that the keyboard is on.
  const open = new Set();

  const read = (lines) => {
    for (const line of lines.split("\n")) {
      if (line === "") continue;
      const entry = JSON.parse(line);
      if (entry.kind === "row") {
        entry.no = entry.record.no;
        entry.session = entry.record.session;
        entry.name = entry.record.name ?? `TYPE_${entry.record.type}`;
        rows.set(entry.no, entry);
        entries.push(entry);
      } else if (entry.kind === "became") {
        const row = rows.get(entry.no);
        if (row) row.became = entry;
      } else {
        entries.push(entry);
      }
    }
  };

  // Everything of a message that can be searched, as it is shown, in lower case.
  const words = (row) => {
    if (row.words === undefined) {
      const record = row.record;
      const fields = Object.entries(record.fields).map(([name, value]) => `${name}=${plain(value)}`);
      const floating = record.floating.map((f) => `${f.name ?? `tag ${f.tag}`}=${plain(f.value)}`);
      const findings = (record.findings ?? []).map((f) => `${f.code} ${f.text}`);
      const told = shown([...fields, ...floating, ...findings].join(" "));
      row.words = [`#${row.no}`, row.name, row.at, `S${row.session}`, record.src, record.dst, row.gist, row.answer ?? "",
        row.became?.text ?? "", told].join(" ").toLowerCase();
    }
    return row.words;
  };

  const clear = () => {
    $("search").value = "";
    for (const id of ["by-session", "by-name", "by-worth"]) $(id).value = "";
  };

  const isBad = (row) => Boolean(row.bad || row.became?.bad);
  const filter = () => {
    const terms = ($("search").value.toLowerCase().match(/"[^"]*"?|\S+/g) ?? [])
      .map((term) => term.replaceAll('"', ""))
      .filter((term) => term !== "");
    const session = $("by-session").value;
    const name = $("by-name").value;
    const worth = $("by-worth").value;
    const narrow = terms.length > 0 || name !== "" || worth === "bad" || worth === "finding";
    found = entries.filter((entry) => {
      if (session !== "" && String(entry.session) !== session) return false;
      if (entry.kind !== "row") return !narrow;
      if (name !== "" && entry.name !== name) return false;
      if (worth === "bad" && !isBad(entry)) return false;
      if (worth === "finding" && !entry.record.findings) return false;
      if (worth === "quiet" && entry.name.startsWith("HEARTBEAT_")) return false;
      return terms.every((term) => words(entry).includes(term));
    });
    page = 0;
    current = null;
    draw();
  };

  const pages = () => Math.max(1, Math.ceil(found.length / PAGE));
  const number = (n) => n.toLocaleString("en");

  const draw = () => {
    page = Math.min(Math.max(page, 0), pages() - 1);
    const shownNow = found.slice(page * PAGE, (page + 1) * PAGE);
    const first = shownNow.find((entry) => entry.kind === "row");
    const within = current !== null && shownNow.some((entry) => entry.no === current && entry.kind === "row");
    if (!within) current = first?.no ?? null;
    const body = document.createDocumentFragment();
    let day = null;
    for (const entry of shownNow) {
      if (entry.day !== day) {
        day = entry.day;
        body.append(make("tr", { class: "day" }, make("th", { colspan: 7, scope: "rowgroup" }, day)));
      }
      if (entry.kind === "row") {
        body.append(line(entry));
        if (open.has(entry.no)) body.append(panel(entry));
      } else {
        body.append(aside(entry));
      }
    }
    if (shownNow.length === 0) {
      body.append(make("tr", { class: "aside" }, make("td", { colspan: 7 }, rows.size === 0 ? "There are no messages." : "No message fits.")));
    }
    $("rows").replaceChildren(body);
    const total = found.reduce((sum, entry) => sum + (entry.kind === "row" ? 1 : 0), 0);
    const paging = pages() > 1 ? ` · page ${number(page + 1)} of ${number(pages())}` : "";
    const all = total === rows.size ? `${number(total)} messages` : `${number(total)} of ${number(rows.size)} messages`;
    $("status").textContent = all + paging;
    for (const id of ["first-page", "previous-page"]) $(id).disabled = page === 0;
    for (const id of ["next-page", "last-page"]) $(id).disabled = page >= pages() - 1;
  };

  const link = (no) => (rows.has(no) ? make("a", { href: `#m${no}` }, `#${no}`) : `#${no}`);

  const line = (row) => {
    const out = row.record.direction === "client-to-server";
    const way = make("td", { class: "way", title: `${row.record.src} to ${row.record.dst}` }, make("span", { "aria-hidden": "true" }, out ? "→" : "←"),
      make("span", { class: "away" }, out ? "to the server" : "to the client"));
    const answer = make("td", { class: "answer" });
    if (row.became) {
      if (row.became.by !== undefined) answer.append(link(row.became.by), " ");
      answer.append(make("span", { class: row.became.bad ? "bad" : undefined }, row.became.text));
    } else if (row.answer !== undefined) {
      answer.append("to ", link(row.record.answers), " ", make("span", { class: row.class === "failure" ? "bad" : undefined }, row.answer));
    }
    const gist = make("td", { class: "gist" });
    const findings = row.record.findings ?? [];
    const worth = findings.find((f) => f.severity !== "info");
    if (worth) {
      gist.append(make("span", { class: `severity ${worth.severity}` }, worth.severity === "error" ? "Error" : "Warning"), " ", worth.code, " ");
    }
    gist.append(make("span", {}, row.gist));
    const expanded = open.has(row.no);
    const button = make("button", { type: "button", "aria-expanded": String(expanded), "aria-controls": `f${row.no}`, tabindex: row.no === current ? "0" : "-1" }, String(row.no));
    return make("tr", { id: `m${row.no}`, class: `row ${row.class}${expanded ? " opened" : ""}` },
      make("td", { class: "number" }, button),
      make("td", { class: "nobr" }, row.at),
      make("td", {}, `S${row.session}`),
      way,
      make("td", { class: "name" }, row.name),
      gist,
      answer);
  };

  const aside = (entry) =>
    make("tr", { class: entry.bad ? "aside bad" : "aside" }, make("td", {}), make("td", { class: "nobr" }, entry.at),
      make("td", {}, entry.session === undefined ? "" : `S${entry.session}`),
      make("td", { colspan: 4 }, entry.text));

  // ---- The fields of a message

  const field = (name, value, masked) => {
    const item = make("li", {}, make("span", { class: "key" }, shown(name)), " ");
    if (masked) {
      item.append(make("span", { class: "muted" }, "masked"));
    } else if (value !== null && typeof value === "object" && value.names?.length) {
      item.append(make("span", { class: "value" }, hex(value.value)), make("ul", {}, ...value.names.map((bit) => make("li", {}, shown(bit)))));
      if (value.unknown_bits) item.lastChild.append(make("li", { class: "muted" }, `unknown bits ${hex(value.unknown_bits)}`));
    } else if (Array.isArray(value) && value.length > 1) {
      item.append(make("ul", {}, ...value.map((part) => make("li", {}, shown(plain(part))))));
    } else {
      const absent = value !== null && typeof value === "object" && value.null;
      item.append(make("span", { class: absent ? "value muted" : "value" }, shown(plain(value))));
    }
    return item;
  };

  const branch = (title, count, items) =>
    make("details", { open: true }, make("summary", {}, title, " ", make("span", { class: "count" }, String(count))), make("ul", { class: "tree" }, ...items));

  const panel = (row) => {
    const record = row.record;
    const box = make("div", { class: "fields" });
    const facts = make("p", { class: "muted" },
      `type ${record.type} · version ${record.version}${record.version_source ? ` (${record.version_source})` : ""} · ${number(record.length + 8)} bytes · ` +
      `${record.src} → ${record.dst} · ${record.packets.length === 1 ? "packet" : "packets"} ${record.packets.map((n, i) => (record.files ? `${record.files[i]}:${n}` : n)).join(", ")}`);
    box.append(facts);
    const findings = record.findings ?? [];
    if (findings.length > 0) {
      box.append(make("ul", { class: "remarks" }, ...findings.map((f) => make("li", {},
        make("span", { class: `severity ${f.severity}` }, { error: "Error", warn: "Warning" }[f.severity] ?? "Remark"), " ", make("code", {}, f.code), ` ${shown(f.text)}`,
        f.offset === undefined ? "" : ` (at byte ${f.offset})`))));
    }
    const fixed = Object.entries(record.fields);
    box.append(branch("Fixed part", fixed.length, fixed.map(([name, value]) => field(name, value))));
    if (record.floating.length > 0) {
      box.append(branch("Floating part", record.floating.length,
        record.floating.map((f) => field(f.name ?? `tag ${f.tag}`, f.value, f.masked))));
    }
    for (const [key, title] of [["opaque", "Opaque data"], ["unread", "Not decoded"]]) {
      const raw = record[key];
      if (raw) box.append(branch(`${title} from byte ${raw.offset}`, raw.masked ? "" : raw.hex.length / 2, [field("hex", raw.hex, raw.masked)]));
    }
    const failure = row.became?.record.failure;
    if (failure?.meaning) {
      box.append(make("p", {}, make("span", { class: "bad" }, `${failure.name ?? failure.value}`), `: ${shown(failure.meaning)}`));
    }
    box.append(make("details", {}, make("summary", {}, "As JSON"), make("pre", { tabindex: "0" }, JSON.stringify(record, null, 2).replace(harmful, (c) =>
      c === "\n" || c === "\\" ? c : shown(c)))));
    return make("tr", { id: `f${row.no}`, class: "panel" }, make("td", {}), make("td", { colspan: 6 }, box));
  };

  // The address names the message that was opened last, so that it can be given to others.
  const remember = (no) => {
    try {
      history.replaceState(null, "", `#m${no}`);
    } catch {
      // Some places where pages are shown do not allow it.
    }
  };

  const toggle = (no) => {
    const line = $(`m${no}`);
    if (!line) return;
    const opens = !open.has(no);
    if (opens) {
      open.add(no);
      line.after(panel(rows.get(no)));
    } else {
      open.delete(no);
      $(`f${no}`)?.remove();
    }
    if (opens) remember(no);
    line.classList.toggle("opened", opens);
    line.querySelector("button").setAttribute("aria-expanded", String(opens));
  };

  // Puts the keyboard on a row of the page that is shown.
  const focus = (no) => {
    $(`m${current}`)?.querySelector("button").setAttribute("tabindex", "-1");
    current = no;
    const button = $(`m${no}`)?.querySelector("button");
    if (!button) return;
    button.setAttribute("tabindex", "0");
    button.focus({ preventScroll: true });
    $(`m${no}`).scrollIntoView({ block: "nearest" });
  };

  const turn = (to) => {
    page = to;
    current = null;
    draw();
    if (current !== null) focus(current);
  };

  const step = (by) => {
    const active = document.activeElement?.closest?.("#rows") !== null && document.activeElement?.closest?.("#rows") !== undefined;
    if (!active) {
      if (current !== null) focus(current);
      return;
    }
    let at = found.findIndex((entry) => entry.kind === "row" && entry.no === current) + by;
    while (found[at] && found[at].kind !== "row") at += by;
    if (!found[at]) return;
    const target = found[at].no;
    if (Math.floor(at / PAGE) !== page) {
      page = Math.floor(at / PAGE);
      current = target;
      draw();
    }
    focus(target);
  };

  // Shows one message, whatever is filtered.
  const show = (no) => {
    const row = rows.get(no);
    $("trouble").hidden = true;
    if (!row) {
      $("trouble").textContent = `Message ${number(no)} is not in the table.`;
      $("trouble").hidden = false;
      $("messages").scrollIntoView();
      return;
    }
    if (!found.includes(row)) {
      clear();
      filter();
    }
    page = Math.floor(found.indexOf(row) / PAGE);
    current = no;
    open.add(no);
    draw();
    focus(no);
    $(`m${no}`).scrollIntoView({ block: "center" });
  };

  const follow = () => {
    const no = /^#m(\d+)$/.exec(location.hash);
    if (no) {
      show(Number(no[1]));
      return;
    }
    const target = location.hash.length > 1 && $(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    const hidden = target.closest("details:not([open])");
    if (hidden) hidden.open = true;
    if (target.matches("details")) target.open = true;
    target.scrollIntoView();
  };

  const choices = () => {
    const count = (of) => {
      const counts = new Map();
      for (const row of rows.values()) counts.set(of(row), (counts.get(of(row)) ?? 0) + 1);
      return [...counts];
    };
    for (const [session, times] of count((row) => row.session).sort((a, b) => a[0] - b[0])) {
      $("by-session").append(make("option", { value: session }, `S${session} (${number(times)})`));
    }
    for (const [name, times] of count((row) => row.name).sort((a, b) => (a[0] < b[0] ? -1 : 1))) {
      $("by-name").append(make("option", { value: name }, `${name} (${number(times)})`));
    }
  };

  const listen = () => {
    let wait = 0;
    $("search").addEventListener("input", () => {
      clearTimeout(wait);
      wait = setTimeout(filter, 120);
    });
    for (const id of ["by-session", "by-name", "by-worth"]) $(id).addEventListener("change", filter);
    $("find").addEventListener("submit", (event) => {
      event.preventDefault();
      filter();
      if (current !== null) focus(current);
    });
    $("clear").addEventListener("click", () => {
      clear();
      filter();
    });
    $("first-page").addEventListener("click", () => turn(0));
    $("previous-page").addEventListener("click", () => turn(page - 1));
    $("next-page").addEventListener("click", () => turn(page + 1));
    $("last-page").addEventListener("click", () => turn(pages() - 1));
    $("rows").addEventListener("click", (event) => {
      const line = event.target.closest("tr.row");
      if (!line || event.target.closest("a") || !getSelection().isCollapsed) return;
      const no = Number(line.id.slice(1));
      toggle(no);
      focus(no);
    });
    // Links of sessions, agents and calls to their messages.
    document.addEventListener("click", (event) => {
      const link = event.target.closest("[data-find], [data-session], [data-name], [data-worth]");
      if (!link) return;
      clear();
      if (link.dataset.find !== undefined) $("search").value = `"${link.dataset.find.replaceAll('"', " ")}"`;
      if (link.dataset.name !== undefined) $("by-name").value = link.dataset.name;
      if (link.dataset.worth !== undefined) $("by-worth").value = link.dataset.worth;
      if (link.dataset.session !== undefined) $("by-session").value = link.dataset.session;
      filter();
    });
    addEventListener("hashchange", follow);
    // A link to where the address is already makes no event.
    document.addEventListener("click", (event) => {
      const link = event.target.closest("a[href^='#']");
      if (!link || link.getAttribute("href") !== location.hash) return;
      event.preventDefault();
      follow();
    });
  };

  const keys = {
    "/": () => {
      $("messages").scrollIntoView();
      $("search").focus();
    },
    "?": () => $("help").showModal(),
    t: toggleTheme,
    j: () => step(1),
    k: () => step(-1),
    "]": () => page < pages() - 1 && turn(page + 1),
    "[": () => page > 0 && turn(page - 1),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
    const writing = event.target.matches("input, select, textarea");
    if (event.key === "Escape") {
      if (event.target === $("search")) {
        $("search").value = "";
        filter();
      } else if (current !== null && open.has(current) && event.target.closest("#rows")) {
        toggle(current);
        focus(current);
      }
      return;
    }
    if (event.target === $("search") && event.key === "ArrowDown") {
      event.preventDefault();
      if (current !== null) focus(current);
      return;
    }
    if (writing) return;
    const inTable = event.target.closest("#rows button") !== null;
    const action = inTable && event.key === "ArrowDown" ? keys.j : inTable && event.key === "ArrowUp" ? keys.k : keys[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });

  const start = async () => {
    read(await unpack($("data").textContent));
    choices();
    watchLadders();
    thinOut();
    listen();
    filter();
    for (const id of ["find", "pager", "table"]) $(id).hidden = false;
    document.documentElement.dataset.ready = "true";
    if (location.hash) follow();
  };
  start().catch((error) => {
    $("trouble").textContent = `The messages cannot be shown: ${error.message}. Browsers from 2023 on can.`;
    $("trouble").hidden = false;
  });
})();
