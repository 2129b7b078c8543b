// What a thread of the simulation pool runs; piscina takes a worker's default export.
export { runTask as default } from './simulation-task.ts';
