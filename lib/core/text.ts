/**
 * Cleaning of what people type. Removed: control characters, lone surrogates (but not the joiners that emoji and some scripts need) and
 * the bidirectional overrides by which one name could be made to look like another (Unicode Technical Report 36).
 */
const UNWANTED = /[\p{Cc}\p{Cs}\u061C\u200B\u200E\u200F\u202A-\u202E\u2060-\u2064\u2066-\u206F\uFEFF\uFFF9-\uFFFB]/gu;

/** One line: NFC, without unwanted characters, runs of white space as one space, trimmed. */
export function cleanLine(raw: string): string {
  return raw
    .replace(/[\t\n\r\v\f\u2028\u2029]/gu, ' ')
    .replace(UNWANTED, '')
    .normalize('NFC')
    .replace(/\s+/gu, ' ')
    .trim();
}

/** Length as people count it: code points, not UTF-16 units. */
export function characters(text: string): number {
  return [...text].length;
}
