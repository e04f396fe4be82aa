// The home page's few moves: another theme, and the numbers that were not known yet.

document.querySelector("[data-act=theme]").addEventListener("click", () => {
  const address = new URL(location.href);
  const chosen = document.documentElement.dataset.cadranTheme;
  const isDark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  address.searchParams.set("theme", isDark ? "light" : "dark");
  location.replace(address);
});

/** Ask for one axis until it is known. */
async function fill(section) {
  const answer = await fetch(`/home/${section.dataset.axis}${location.search}`).catch(() => null);
  if (answer?.status === 200) {
    section.outerHTML = await answer.text();
    return;
  }
  if (answer && ![202, 503].includes(answer.status)) return;
  setTimeout(fill, 1000 * (answer?.headers.get("Retry-After") ?? 10), section);
}

document.querySelectorAll("section[aria-busy]").forEach(fill);
