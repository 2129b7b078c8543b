import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import type { Request, RequestHandler } from 'express';
import type { RoomKind } from '../lib/core/room-state.ts';
import type { Locale } from '../lib/errors.ts';

/** What a messenger may show of a room. */
export type RoomPreview = {
  readonly name: string;
  readonly kind: RoomKind;
  readonly locale: Locale;
  readonly closed: boolean;
};

export type ShareDeps = {
  readonly publicUrl: string | undefined;
  /** Null: no such room. */
  preview(code: string): Promise<RoomPreview | null>;
  addressOf(request: IncomingMessage): string;
  /** Unknown codes by address: whoever asks for many is not told any more which ones exist. */
  readonly guesses: {
    attempt<T>(
      work: () => Promise<T | null>,
      address: string,
    ): Promise<{ readonly found: T | null } | { readonly blockedForMs: number }>;
  };
};

const CODE = /^[0-9A-Za-z -]{1,16}$/;

const TEXTS: Readonly<
  Record<Locale, { readonly site: string; readonly pick: string; readonly bet: string; readonly closed: string }>
> = {
  ko: {
    site: 'Paddock',
    pick: '말을 한 마리씩 고르고 누가 걸리는지 함께 봐요. 링크를 열면 바로 들어와요.',
    bet: '점수를 걸고 같은 경주를 같은 순간에 함께 봐요. 링크를 열면 바로 들어와요.',
    closed: '이미 닫힌 방이에요. 새 방을 열어 보세요.',
  },
  en: {
    site: 'Paddock',
    pick: 'Everybody picks a horse and somebody gets caught. Open the link and you are in.',
    bet: 'Stake points and watch the same race at the same moment. Open the link and you are in.',
    closed: 'This room has been closed. Open a new one.',
  },
};

/**
 * `/r/:code`: the page, with what messengers show of the room in its head. 404 (the page all the same, which says so)
 * where there is no such room.
 */
export function createSharePage(indexFile: string, deps: ShareDeps): RequestHandler {
  return async (request, response, next) => {
    const html = await readFile(indexFile, 'utf8').catch(() => null);
    if (html === null) {
      next();
      return;
    }
    const address = deps.addressOf(request);
    const found = await preview(String(request.params['code']), address);
    response.status(found === null ? 404 : 200);
    response.type('html').setHeader('Cache-Control', 'no-cache');
    response.send(found ? withPreview(html, found, pageUrl(request)) : html);
  };

  /** Undefined: cannot be told now; the page finds out by itself. */
  async function preview(code: string, address: string): Promise<RoomPreview | null | undefined> {
    if (!CODE.test(code)) return null;
    try {
      const asked = await deps.guesses.attempt(() => deps.preview(code), address);
      return 'found' in asked ? asked.found : undefined;
    } catch {
      return undefined;
    }
  }

  function pageUrl(request: Request): string {
    const base = deps.publicUrl ?? `${request.protocol}://${request.headers.host ?? ''}`;
    return `${base}/r/${encodeURIComponent(String(request.params['code']))}`;
  }
}

function withPreview(html: string, room: RoomPreview, url: string): string {
  const texts = TEXTS[room.locale];
  const description = room.closed ? texts.closed : texts[room.kind];
  const tags: readonly (readonly [string, string])[] = [
    ['og:type', 'website'],
    ['og:site_name', texts.site],
    ['og:title', room.name],
    ['og:description', description],
    ['og:locale', room.locale === 'ko' ? 'ko_KR' : 'en_US'],
    ['og:url', url],
  ];
  const head = [
    ...tags.map(([property, content]) => `<meta property="${property}" content="${escaped(content)}">`),
    `<meta name="description" content="${escaped(description)}">`,
  ].join('\n    ');
  // Replacements by functions: a "$&" in a room's name is text.
  return html
    .replace(/<html lang="[^"]*"/, () => `<html lang="${room.locale}"`)
    .replace(/\s*<meta (?:name="description"|property="og:)[^>]*>/g, () => '')
    .replace(/<title>[^<]*<\/title>/, () => `<title>${escaped(room.name)} · ${texts.site}</title>`)
    .replace('</head>', () => `  ${head}\n  </head>`);
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
