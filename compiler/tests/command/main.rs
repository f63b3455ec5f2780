//! The command line as scripts see it: arguments, the two streams, exit statuses. What the commands find out is tested where
//! it is found out.

mod build;
mod examples;
mod key;
mod look;
mod schemas;
mod site;
mod statuses;
mod up;
