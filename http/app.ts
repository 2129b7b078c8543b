import { timingSafeEqual } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import compression from 'compression';
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler } from 'express';
import helmet from 'helmet';
import { ERRORS, type ErrorCode, errorText, RefusedError } from '../lib/errors.ts';
import { type Logger, UnavailableError } from '../lib/ports.ts';
import { type HealthDeps, healthRoutes } from './health.ts';
import { type RecordDeps, recordRoutes } from './records.ts';
import { createSharePage, type ShareDeps } from './share-page.ts';

export type HttpDeps = {
  /** The page's build: the only folder anything is served from. */
  readonly pageFolder: string;
  readonly publicUrl: string | undefined;
  readonly metricsToken: string | undefined;
  readonly metrics: { readonly contentType: string; metrics(): Promise<string> };
  readonly health: HealthDeps;
  readonly records: RecordDeps;
  readonly share: ShareDeps;
  readonly log: Logger;
};

const YEAR_S = 31_536_000;
const STATUS: Partial<Record<ErrorCode, number>> = {
  BAD_REQUEST: 400,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  RATE_LIMITED: 429,
  LEDGER_UNAVAILABLE: 503,
};

/** Everything but the sockets: health, metrics, public records, the page. Errors are JSON with a code of the catalogue. */
export function createHttpApp(deps: HttpDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.use(securityHeaders(deps.publicUrl?.startsWith('https:') ?? false));
  app.use(healthRoutes(deps.health));
  app.get('/metrics', metricsRoute(deps));
  app.use(compression());
  app.use('/api', recordRoutes(deps.records), (_request, _response, next) =>
    next(new RefusedError({ code: 'NOT_FOUND' })),
  );
  const sharePage = createSharePage(join(deps.pageFolder, 'index.html'), deps.share);
  app.get('/r/:code', sharePage);
  app.get(['/', '/index.html'], indexPage(deps.pageFolder, 200));
  app.use(
    express.static(deps.pageFolder, {
      index: false,
      dotfiles: 'ignore',
      redirect: false,
      setHeaders: (response, path) => {
        const hashed = path.startsWith(join(deps.pageFolder, 'assets'));
        response.setHeader('Cache-Control', hashed ? `public, max-age=${YEAR_S}, immutable` : 'no-cache');
      },
    }),
  );
  app.use((request, response, next) => {
    const page = request.method === 'GET' && request.accepts(['json', 'html']) === 'html';
    if (page) return indexPage(deps.pageFolder, 404)(request, response, next);
    next(new RefusedError({ code: 'NOT_FOUND' }));
  });
  app.use(errorAnswer(deps.log));
  return app;
}

/** Rules that would keep a page on a plain http:// address from loading are sent only where the page is https. */
function securityHeaders(secure: boolean): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        scriptSrc: ["'self'"],
        scriptSrcAttr: ["'none'"],
        styleSrc: ["'self'"],
        styleSrcAttr: ["'unsafe-inline'"],
        imgSrc: ["'self'", 'data:', 'blob:'],
        mediaSrc: ["'self'", 'data:', 'blob:'],
        connectSrc: ["'self'", 'ws:', 'wss:'],
        workerSrc: ["'self'", 'blob:'],
        objectSrc: ["'none'"],
        baseUri: ["'self'"],
        formAction: ["'self'"],
        frameAncestors: ["'self'"],
        ...(secure && { upgradeInsecureRequests: [] }),
      },
    },
    strictTransportSecurity: secure && { maxAge: YEAR_S / 2, includeSubDomains: false },
    crossOriginOpenerPolicy: secure,
    originAgentCluster: secure,
    referrerPolicy: { policy: 'same-origin' },
  });
}

/** Whoever has the token; without one, whoever asks from this machine itself (not through a proxy on it). */
function metricsRoute(deps: Pick<HttpDeps, 'metricsToken' | 'metrics'>): RequestHandler {
  return async (request, response) => {
    const allowed = deps.metricsToken === undefined ? fromThisMachine(request) : bearerIs(request, deps.metricsToken);
    if (!allowed) throw new RefusedError({ code: 'FORBIDDEN' });
    response.setHeader('Content-Type', deps.metrics.contentType);
    response.end(await deps.metrics.metrics());
  };
}

function fromThisMachine(request: Request): boolean {
  const address = request.socket.remoteAddress ?? '';
  const forwarded = request.headers['x-forwarded-for'] ?? request.headers['forwarded'] ?? request.headers.via;
  return forwarded === undefined && /^(::1|(::ffff:)?127\.\d+\.\d+\.\d+)$/.test(address);
}

function bearerIs(request: Request, token: string): boolean {
  const given = Buffer.from(request.headers.authorization ?? '');
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function indexPage(folder: string, status: number): RequestHandler {
  const file = join(folder, 'index.html');
  return (_request, response, next) => {
    if (!existsSync(file)) {
      response.status(503).type('text/plain').send('The page has not been built yet: npm run build\n');
      return;
    }
    response.status(status).type('html').setHeader('Cache-Control', 'no-cache');
    createReadStream(file).on('error', next).pipe(response);
  };
}

function errorAnswer(log: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const code = codeOf(error);
    if (code === 'INTERNAL') log.error({ err: error, path: request.path }, 'http.failed');
    const locale = request.acceptsLanguages(['en', 'ko']) === 'ko' ? 'ko' : 'en';
    response
      .status(STATUS[code] ?? 500)
      .setHeader('Cache-Control', 'no-store')
      .json({ code, message: errorText(code, locale), retryable: ERRORS[code].retryable });
  };
}

/** Express and its parts mark what the client did wrong with a status of 4xx (a malformed address, say). */
function codeOf(error: unknown): ErrorCode {
  if (error instanceof RefusedError) return error.refusal.code;
  if (error instanceof UnavailableError) return 'LEDGER_UNAVAILABLE';
  const status = error instanceof Error && 'status' in error ? Number(error.status) : 500;
  if (status === 404) return 'NOT_FOUND';
  if (status === 403) return 'FORBIDDEN';
  return status >= 400 && status < 500 ? 'BAD_REQUEST' : 'INTERNAL';
}
