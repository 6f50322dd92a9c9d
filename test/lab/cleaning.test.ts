import { describe, expect, it } from "vitest";
import {
  calmCapitals,
  collapseRepeats,
  curlQuotes,
  detokenise,
  isProse,
  isRepetitive,
  sentenceCase,
  splitLong,
  straightenQuotes,
  stripOuterQuotes,
} from "../../src/lab/cleaning.js";
import { cleanComment, cleanParagraph, cleanSentence, cleanWebText } from "../../src/lab/corpus-mirror.js";

describe("cleaning a talk-page comment", () => {
  it.each([
    ["escaped quotes and indentation", '"   :He said """"never"""" twice.   "', 'He said "never" twice.'],
    ["a heading", "== Your edit ==   Please stop that.", "Please stop that."],
    ["links", "See [[The Bill|that series]] and [[Tesco]].", "See that series and Tesco."],
    ["a web address", "Look at http://example.org/a?b=c for it.", "Look at for it."],
    ["an internet address", "You are 82.14.3.200 again", "You are again"],
    ["a template", "Thanks {{subst:welcome}} for the help", "Thanks for the help"],
    ["a signature", "I agree with that. (talk) 04:02, 11 December 2007 (UTC)", "I agree with that."],
    ["character entities", "Tom &amp; Jerry are &quot;fun&quot; to see", 'Tom & Jerry are "fun" to see'],
    ["a foreign script", "This means книга in Russian", "This means in Russian"],
    ["shouting", "YOU ARE SUCH A FOOL! GO AWAY", "You are such a fool! Go away"],
    ["a held key", "noooooooo way!!!!!!!!", "no way!!!"],
  ])("takes out %s", (_, raw, clean) => {
    expect(cleanComment(raw)).toBe(clean);
  });

  it("keeps a phrase that was pasted over and over twice", () => {
    expect(collapseRepeats("go away you fool go away you fool go away you fool go away you fool ok")).toBe(
      "go away you fool go away you fool ok",
    );
    expect(collapseRepeats("no no no no no")).toBe("no no");
  });
});

describe("cleaning sentences and paragraphs", () => {
  it("writes a tokenised sentence as people do", () => {
    expect(cleanSentence("i do n't know , said the dude ; he 's gone !")).toBe(
      "I don't know, said the dude; he's gone!",
    );
    expect(cleanSentence("rt what a silly hat .")).toBe("What a silly hat.");
  });

  it("undoes WikiText's spacing", () => {
    expect(
      cleanParagraph(' He had a guest @-@ starring role as " Craig " in " Teddy \'s Story " ( 2000 ) . '),
    ).toBe('He had a guest-starring role as "Craig" in "Teddy\'s Story" (2000).');
    expect(detokenise("about 1 @,@ 200 people , 0 @.@ 7 per cent")).toBe("about 1,200 people, 0.7 per cent");
  });

  it("keeps the printed quotes of web texts, and can make either kind of the other", () => {
    expect(cleanWebText("“It’s late,”\n she said.")).toBe("“It’s late,” she said.");
    expect(straightenQuotes("“It’s late…”")).toBe('"It\'s late..."');
    expect(curlQuotes('"It\'s late," she said ("really").')).toBe("“It’s late,” she said (“really”).");
  });

  it("drops quotes around the whole, not those of a part", () => {
    expect(stripOuterQuotes('"all of it"')).toBe("all of it");
    expect(stripOuterQuotes('"this" and "that"')).toBe('"this" and "that"');
    expect(stripOuterQuotes('a stray one"')).toBe("a stray one");
  });

  it("leaves ordinary capitals alone", () => {
    expect(calmCapitals("The NASA launch")).toBe("The NASA launch");
    expect(sentenceCase("yes. i think so, im sure")).toBe("Yes. I think so, I'm sure");
  });

  it("tells prose from what is none", () => {
    expect(isProse("You are such a fool")).toBe(true);
    expect(isProse("ok")).toBe(false);
    expect(isProse("|- 12 || 14 || 2007 -- 15")).toBe(false);
    expect(isProse("brrr hmm pfft tsk")).toBe(false);
  });
});

describe("splitting a long text", () => {
  const text = Array.from({ length: 30 }, (_, i) => `This is sentence number ${i}, with nothing in it.`).join(
    " ",
  );

  it("cuts between sentences and loses no word", () => {
    const pieces = splitLong(text, 200);
    expect(pieces.every((piece) => piece.length <= 200 && piece.endsWith("."))).toBe(true);
    expect(pieces.join(" ")).toBe(text);
  });

  it("cuts between words when there is no end of a sentence", () => {
    const pieces = splitLong("word ".repeat(100).trim(), 50);
    expect(pieces.every((piece) => piece.length <= 50 && /^word( word)*$/.test(piece))).toBe(true);
    expect(pieces.join(" ").split(" ")).toHaveLength(100);
  });
});

describe("isRepetitive", () => {
  it("finds a phrase said over and over, also where words are glued together", () => {
    expect(isRepetitive("you are late you are lateyou are late and ".repeat(6))).toBe(true);
  });

  it("lets prose pass, however long, and short texts", () => {
    const prose = Array.from({ length: 40 }, (_, i) => `the ${i} of May was a day like ${i * 7} others`).join(
      " ",
    );
    expect(isRepetitive(prose)).toBe(false);
    expect(isRepetitive("no no no no")).toBe(false);
  });
});
