//! Whole-program tests: the real binary, alone and under mpirun, on real and generated files, into directories and an
//! S3 server, read back by the readers that users have.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(unreachable_pub)] // what tests share is no API

mod access;
mod again;
mod any_files;
mod any_store;
mod append;
mod archives;
mod compact;
mod copied;
mod copies;
mod crash;
mod dataset;
mod delete;
mod delete_array;
mod delete_time;
mod differential;
mod doctor;
mod du;
mod examples;
mod faults;
mod formats;
mod hierarchies;
mod history;
mod interrupted;
mod iris;
mod line;
mod list;
mod logging;
mod names;
mod odd;
mod odd_coordinates;
mod odd_fills;
mod odd_names;
mod odd_times;
mod outlived;
mod pages;
mod predecessors;
mod processes;
mod races;
mod ranks;
mod readers;
mod rechunk;
mod reference;
mod refusals;
mod reproject;
mod reproject_readers;
mod resume;
mod resume_scene;
mod sending;
mod share;
mod staged;
mod static_files;
mod support;
mod texts;
mod time;
mod time_from;
mod tls;
mod truncate;
mod unheard;
mod update;
mod verify;
mod warm;
mod without_mpi;
