// Dark or light before anything is painted: the person's choice, else the system's.
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  try { chosen = JSON.parse(localStorage.getItem("hemonode-theme")); } catch { /* nothing is kept in a private window */ }
  const apply = () => { document.documentElement.dataset.theme = chosen ?? (system.matches ? "dark" : "light"); };
  system.addEventListener("change", apply);
  window.flipTheme = () => {
    chosen = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    try { localStorage.setItem("hemonode-theme", JSON.stringify(chosen)); } catch { /* as above */ }
    apply();
  };
  apply();
})();
