/** The element with this id that a page of the site always has. */
function element<T extends HTMLElement = HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

const loading = new Map<string, Promise<void>>();

/** Loads a script of `assets/` once. Scripts may be loaded from disk; fetching is refused there. */
function loadScript(file: string): Promise<void> {
  const begun = loading.get(file);
  if (begun) return begun;
  const loaded = new Promise<void>((settle, refuse) => {
    const script = document.createElement("script");
    script.src = `assets/${file}`;
    script.onload = () => settle();
    script.onerror = () => refuse(new Error(`assets/${file} is missing`));
    document.head.append(script);
  });
  loading.set(file, loaded);
  return loaded;
}

/** What a reader has chosen, kept where the browser keeps anything. */
function keep(storage: () => Storage, key: string, value: string): void {
  try {
    storage().setItem(key, value);
  } catch {
    // then it holds for this page alone
  }
}

function kept(storage: () => Storage, key: string): string | null {
  try {
    return storage().getItem(key);
  } catch {
    return null;
  }
}
