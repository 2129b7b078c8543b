import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { PROJECT } from '../helpers/process.ts';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } as const;
/** The smallest screen that many people still have. */
export const SMALL = { ...PHONE, viewport: { width: 360, height: 740 } } as const;
export const DESKTOP = { viewport: { width: 1280, height: 800 } } as const;
export const PAGE_FOLDER = join(PROJECT, 'dist/public');

/** Debian's Chromium with a profile of its own. `paddock.test` is this machine: a plain http:// name is no secure context. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
    args: [...FLAGS, '--host-resolver-rules=MAP paddock.test 127.0.0.1'],
  });
}

export type Watched = {
  readonly page: Page;
  /** Errors of the console, uncaught ones and breaches of the content policy, as they came. */
  readonly faults: readonly string[];
  close(): Promise<void>;
};

/** A person: storage of their own, and everything the browser complains about. */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions): Promise<Watched> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(String(error)));
  await page.addInitScript(
    `document.addEventListener('securitypolicyviolation', (event) => console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI));`,
  );
  await page.goto(url);
  return { page, faults, close: () => context.close() };
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Violations that keep people out, as "rule: element". */
export async function accessFaults(page: Page): Promise<string[]> {
  const expression = `(async () => {
    const module = { exports: {} };
    ${axeSource};
    const found = await (window.axe ?? module.exports).run();
    return found.violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html.slice(0, 160)));
  })()`;
  return page.evaluate(expression) as Promise<string[]>;
}

/** `npm test` builds before it begins; a run of these files alone builds the page where it is missing or older than its sources. */
export function ensurePage(): void {
  const built = join(PAGE_FOLDER, 'index.html');
  const newest = newestOf(join(PROJECT, 'public'));
  if (existsSync(built) && statSync(built).mtimeMs >= newest) return;
  execFileSync(process.execPath, [join(PROJECT, 'node_modules/vite/bin/vite.js'), 'build', '--logLevel', 'warn'], {
    cwd: PROJECT,
    stdio: 'pipe',
  });
}

function newestOf(folder: string): number {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    newest = Math.max(newest, entry.isDirectory() ? newestOf(path) : statSync(path).mtimeMs);
  }
  return newest;
}

/** Digits of a shown amount of points, with its sign. */
export async function shownPoints(page: Page, selector: string): Promise<bigint> {
  const text = await page.locator(selector).first().innerText();
  const digits = BigInt(text.replace(/\D/g, ''));
  return text.includes('−') ? -digits : digits;
}

/** With SCREENSHOTS=1 what is seen goes to docs/screenshots, to be looked at; else nothing. */
export async function picture(page: Page, name: string): Promise<void> {
  if (process.env['SCREENSHOTS'] !== '1') return;
  await page.screenshot({ path: join(PROJECT, 'docs/screenshots', `${name}.png`), animations: 'disabled' });
}
