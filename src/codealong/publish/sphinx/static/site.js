"use strict";

// A page opened from a file may not fetch the others, from which Sphinx cuts its summaries of what it found.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// What scrolls sideways can be reached by keyboard; what does not is no stop on the way.
const letScroll = () => {
  for (const box of document.querySelectorAll("pre, .table-wrapper, .output.text_html")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
};
addEventListener("load", letScroll);
addEventListener("resize", letScroll);
addEventListener("toggle", letScroll, true); // of an answer that was closed

// A page that was opened without a word to look for says what it is for.
addEventListener("load", () => {
  const results = document.getElementById("search-results");
  if (results && !new URLSearchParams(location.search).get("q")) {
    results.textContent = "Type a word into the search box: every lesson, the glossary and the guide are searched.";
  }
});

// On paper nobody can open an answer.
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach(answer => { answer.open = true; }));
