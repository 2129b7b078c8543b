import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** What the process measures of itself, in Prometheus' text format. Counters carry no ids: their labels are few. */
export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'paddock_' });
  const registers = [registry];

  const requests = new Counter({
    name: 'paddock_requests_total',
    help: 'Answered requests by event and code (OK or an error code)',
    labelNames: ['event', 'code'],
    registers,
  });
  const seconds = new Histogram({
    name: 'paddock_request_seconds',
    help: 'Time from the arrival of a request to its answer',
    labelNames: ['event'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  });
  const dropped = new Counter({
    name: 'paddock_requests_dropped_total',
    help: 'Requests without an acknowledgement function, which cannot be answered',
    labelNames: ['event'],
    registers,
  });
  const floods = new Counter({
    name: 'paddock_floods_total',
    help: 'Connections ended because they kept sending far above their limit',
    registers,
  });
  const connections = new Gauge({ name: 'paddock_connections', help: 'Living connections', registers });
  const disconnects = new Counter({
    name: 'paddock_disconnects_total',
    help: 'Ended connections by reason',
    labelNames: ['reason'],
    registers,
  });
  const refusals = new Counter({
    name: 'paddock_connections_refused_total',
    help: 'Refused connections by code',
    labelNames: ['code'],
    registers,
  });

  const deliveries = new Counter({
    name: 'paddock_deliveries_total',
    help: 'Room events times the connections they went to',
    registers,
  });
  const slowReaders = new Counter({
    name: 'paddock_slow_readers_total',
    help: 'Connections cut because they did not read',
    registers,
  });

  return {
    registry,
    delivery: {
      delivered: (sockets: number, events: number): void => deliveries.inc(sockets * events),
      readerCut: (): void => slowReaders.inc(),
    },
    route: {
      answered(event: string, code: string, took: number): void {
        requests.inc({ event, code });
        seconds.observe({ event }, took);
      },
      dropped: (event: string): void => dropped.inc({ event }),
      flooded: (): void => floods.inc(),
    },
    gateway: {
      connected: (): void => connections.inc(),
      disconnected(reason: string): void {
        connections.dec();
        disconnects.inc({ reason });
      },
      refused: (code: string): void => refusals.inc({ code }),
    },
    /** A figure that is read when asked for. */
    gauge(name: string, help: string, read: () => number): void {
      new Gauge({
        name: `paddock_${name}`,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    },
    /** One such figure for each value of a label. */
    gauges(name: string, help: string, label: string, read: () => Readonly<Record<string, number>>): void {
      new Gauge({
        name: `paddock_${name}`,
        help,
        labelNames: [label],
        registers,
        collect() {
          this.reset();
          for (const [value, figure] of Object.entries(read())) this.set({ [label]: value }, figure);
        },
      });
    },
  };
}

export type Metrics = ReturnType<typeof createMetrics>;
