import { Router } from 'express';

export type HealthDeps = {
  /** Why this process should get no new players now; empty when it may. */
  notReady(): readonly string[];
};

/** `/healthz`: the process answers. `/readyz`: it may be given players; 503 with the reasons when not. */
export function healthRoutes(deps: HealthDeps): Router {
  const router = Router();
  router.get('/healthz', (_request, response) => {
    response.setHeader('Cache-Control', 'no-store').json({ status: 'ok' });
  });
  router.get('/readyz', (_request, response) => {
    const reasons = deps.notReady();
    response
      .status(reasons.length === 0 ? 200 : 503)
      .setHeader('Cache-Control', 'no-store')
      .json({ ready: reasons.length === 0, reasons });
  });
  return router;
}
