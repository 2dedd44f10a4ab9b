export {
  type BootstrapOptions,
  type Interval,
  meanDifference,
  retention,
} from './paired-bootstrap.js';
