//! What a file may say, and what it is told where it says something else.

use super::*;
