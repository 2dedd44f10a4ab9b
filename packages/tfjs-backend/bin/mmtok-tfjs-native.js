#!/usr/bin/env node
import '../dist/native/cli.js';
