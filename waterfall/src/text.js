"use strict";
// What all pages share: text that comes from spans reaches a page as text alone (`textContent`).
const byId = (id) => document.getElementById(id);

// What is not to be seen, or looks like a plain space and is none: the same set as in `text.rs`.
const HIDDEN = /[\u0000-\u001f\u007f-\u00a0\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890-\u0891\u08e2\u115f-\u1160\u1680\u17b4-\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{110bd}\u{110cd}\u{13430}-\u{1343f}\u{13441}-\u{13442}\u{16fe4}\u{1bca0}-\u{1bca3}\u{1d159}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/gu;
const spell = (c) => `\\u{${c.codePointAt(0).toString(16)}}`;
const onLine = (text) => text.replace(HIDDEN, spell);
const onLines = (text) => text.replace(HIDDEN, (c) => (c === "\n" || c === "\t" ? c : spell(c)));

const digits = (value, unit) =>
  `${value < 9.995 ? value.toFixed(2) : value < 99.95 ? value.toFixed(1) : value.toFixed(0)} ${unit}`;
const human = (nanos) => {
  if (nanos < 1e3) return `${nanos} ns`;
  if (nanos < 999500) return digits(nanos / 1e3, "µs");
  if (nanos < 999500000) return digits(nanos / 1e6, "ms");
  if (nanos < 59950000000) return digits(nanos / 1e9, "s");
  const seconds = Math.round(nanos / 1e9);
  const two = (n) => String(n).padStart(2, "0");
  return seconds < 3600
    ? `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`
    : `${Math.floor(seconds / 3600)}h ${two(Math.floor(seconds / 60) % 60)}m`;
};
const count = (n, what) => `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;

const make = (tag, kind, text) => {
  const element = document.createElement(tag);
  if (kind) element.className = kind;
  if (text !== undefined) element.textContent = text;
  return element;
};

const anchor = (text, target) => {
  const element = make("a", "", text);
  element.href = target;
  return element;
};
