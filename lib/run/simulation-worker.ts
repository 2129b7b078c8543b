// What a thread of the simulation pool runs; piscina takes a worker's default export, and gives it nothing before this has run.
import { runTask, warmUp } from './simulation-task.ts';

warmUp();

export default runTask;
