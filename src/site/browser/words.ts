// Offensive words are starred out; the words themselves lie encoded beside the stars.

let wordsShown = kept(() => sessionStorage, "alignscope-words") === "shown";

function decodeWord(encoded: string): string {
  return new TextDecoder().decode(Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0)));
}

/** Puts words or stars everywhere, charts included. */
function drawWords(): void {
  for (const veiled of document.querySelectorAll<HTMLElement>(".veiled")) {
    veiled.dataset["stars"] ??= veiled.textContent ?? "";
    veiled.textContent = wordsShown ? decodeWord(veiled.dataset["word"] ?? "") : veiled.dataset["stars"];
  }
  const button = element("words");
  button.setAttribute("aria-pressed", String(wordsShown));
  button.textContent = wordsShown ? "Hide words" : "Show words";
}

function setWords(shown: boolean): void {
  wordsShown = shown;
  keep(() => sessionStorage, "alignscope-words", shown ? "shown" : "starred");
  drawWords();
  redrawCharts();
}

function setUpWords(): void {
  const warning = element<HTMLDialogElement>("word-warning");
  element("words").addEventListener("click", () => (wordsShown ? setWords(false) : warning.showModal()));
  warning.addEventListener("close", () => {
    if (warning.returnValue === "show") setWords(true);
    warning.returnValue = "";
  });
  if (wordsShown) drawWords();
}
