"use strict";
// What the page does besides showing messages: dark and light, help, ladders. Text of a capture only ever becomes the content of text nodes.
const shell = (() => {
  const $ = (id) => document.getElementById(id);
  const settings = JSON.parse($("settings").textContent);
  const harmful = new RegExp(`[\\\\${settings.harmful}]`, "gu");

  // What controls, reorders or hides is made visible, in the words of the program's own output.
  const shown = (text) =>
    String(text).replace(harmful, (c) => {
      if (c === "\\") return "\\\\";
      if (c === "\n") return "\\n";
      if (c === "\r") return "\\r";
      if (c === "\t") return "\\t";
      const code = c.codePointAt(0);
      return code < 0x80
        ? `\\x${code.toString(16).padStart(2, "0")}`
        : `\\u{${code.toString(16).padStart(4, "0")}}`;
    });

  // An element with attributes and children; a string becomes text.
  const make = (tag, attributes, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes ?? {})) {
      if (value === true) element.setAttribute(name, "");
      else if (value !== false && value !== undefined) element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child !== undefined && child !== ""));
    return element;
  };

  // ---- Dark and light

  const root = document.documentElement;
  const isDark = () =>
    (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const nameTheme = () => {
    $("theme").textContent = isDark() ? "Light" : "Dark";
  };
  const storage = (action) => {
    try {
      return action(localStorage);
    } catch {
      return null; // Pages opened from a file may have none.
    }
  };
  const toggleTheme = () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    storage((s) => s.setItem("ctishark-theme", root.dataset.theme));
    nameTheme();
  };
  const kept = storage((s) => s.getItem("ctishark-theme"));
  if (kept === "dark" || kept === "light") root.dataset.theme = kept;
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", nameTheme);
  nameTheme();
  $("theme").addEventListener("click", toggleTheme);
  $("help-open").addEventListener("click", () => $("help").showModal());
  $("tools").hidden = false;

  // ---- What is packed

  const unpack = async (text) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    return new Response(stream).text();
  };

  // Ladders beyond the first ones are packed; each is drawn when its call is opened.
  const ladder = async (place) => {
    const packed = place.dataset.packed;
    delete place.dataset.packed;
    const picture = new DOMParser().parseFromString(await unpack(packed), "image/svg+xml").documentElement;
    place.append(document.importNode(picture, true));
  };
  const watchLadders = () => {
    for (const place of document.querySelectorAll("[data-packed]")) {
      const call = place.closest("details");
      const draw = () => call.open && place.dataset.packed !== undefined && ladder(place);
      call.addEventListener("toggle", draw);
      draw();
    }
  };

  // Of many calls or agents only those that are open are shown: the list above them is where to choose.
  const thinOut = () => {
    for (const kind of ["calls", "agents"]) {
      const list = $(`${kind}-one`);
      if (!list || list.childElementCount <= 30) continue;
      list.classList.add("many");
      $(`${kind}-choice`).hidden = false;
    }
  };

  return { $, harmful, shown, make, unpack, toggleTheme, watchLadders, thinOut };
})();
