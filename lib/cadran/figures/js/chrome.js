// How the page sits in the window that marimo gives it.

/** Take the whole window where the notebook is only read; keep to the cell in the editor. */
export function settle(el, root) {
  const asked = new URLSearchParams(location.search).get("theme");
  if (asked === "dark" || asked === "light") el.dataset.theme = document.documentElement.dataset.cadranTheme = asked;
  document.documentElement.lang = root.querySelector(".page").lang;
  document.title = root.querySelector(".page").dataset.title;
  const isRead = !document.querySelector("[data-testid='cell-editor'], .cm-editor");
  if (!isRead || document.getElementById("cadran-chrome")) return;
  const style = document.createElement("style");
  style.id = "cadran-chrome";
  style.textContent = root.querySelector("template.chrome").innerHTML;
  document.head.append(style);
}
