import sanitizeHtml from "sanitize-html";

const COLORS = [/^#[0-9a-f]{3,8}$/i, /^rgba?\([\d.,% ]+\)$/, /^[a-z]+$/];

/** HTML from a notebook's output without anything that runs, loads or restyles the page around it. */
export function sanitize(html: string): string {
  return sanitizeHtml(html, {
    allowedTags: [
      ...sanitizeHtml.defaults.allowedTags,
      "caption",
      "details",
      "figcaption",
      "figure",
      "img",
      "summary",
    ],
    allowedAttributes: {
      "*": ["class", "style", "title", "lang", "dir"],
      a: ["href", "rel"],
      img: ["src", "alt", "width", "height"],
      td: ["colspan", "rowspan"],
      th: ["colspan", "rowspan", "scope"],
    },
    allowedSchemes: ["http", "https", "mailto"],
    allowedSchemesByTag: { img: ["data"] },
    allowProtocolRelative: false,
    allowedStyles: {
      "*": {
        "text-align": [/^(left|right|center)$/],
        "font-weight": [/^(normal|bold|[1-9]00)$/],
        color: COLORS,
        "background-color": COLORS,
      },
    },
    nonTextTags: ["script", "style", "textarea", "option", "noscript", "head", "title"],
    // What a reader follows from an output leaves the page without telling where from.
    transformTags: {
      a: sanitizeHtml.simpleTransform("a", { rel: "noreferrer noopener" }),
      img: (tagName, attribs) => ({ tagName, attribs: { alt: "", ...attribs } }),
    },
    // A picture from elsewhere has lost its address.
    exclusiveFilter: ({ tag, attribs }) => tag === "img" && !attribs["src"],
  });
}
