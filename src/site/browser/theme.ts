// Runs before the page is drawn: the reader's theme, as chosen here before or as the system has it.
{
  let chosen: string | null = null;
  try {
    chosen = localStorage.getItem("alignscope-theme");
  } catch {
    // from disk some browsers keep nothing
  }
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset["theme"] = chosen;
}
