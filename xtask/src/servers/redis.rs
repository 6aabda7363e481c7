use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    process::Command,
    time::Duration,
};

use anyhow::Result;

use super::{free_port, process::Process, program};

/// A private Redis on localhost.
#[derive(Debug)]
pub struct Redis {
    process: Process,
    port: u16,
    options: Vec<String>,
}

impl Redis {
    /// Keeps nothing over a restart.
    ///
    /// # Errors
    /// When Redis is not installed or doesn't start.
    pub fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// With options of redis.conf, for example `("appendonly", "yes")`.
    ///
    /// # Errors
    /// When Redis is not installed or doesn't start.
    pub fn start_with(options: &[(&str, &str)]) -> Result<Self> {
        let options = options.iter().flat_map(|(key, value)| [format!("--{key}"), (*value).to_owned()]).collect();
        let mut server = Self { process: Process::new("redis")?, port: free_port()?, options };
        server.run()?;
        Ok(server)
    }

    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn stop(&mut self) {
        self.process.stop("TERM");
    }

    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// # Errors
    /// When it doesn't start.
    pub fn restart(&mut self) -> Result<()> {
        self.stop();
        self.run()
    }

    fn run(&mut self) -> Result<()> {
        let (server, port, options) = (program("redis-server")?, self.port, self.options.clone());
        let dir = self.process.dir().to_owned();
        self.process.start(
            || {
                let mut command = Command::new(&server);
                command.args(["--bind", "127.0.0.1", "--save", "", "--dir"]).arg(&dir);
                command.args(["--port", &port.to_string()]).args(&options);
                Ok(command)
            },
            || pong(port).unwrap_or(false),
        )
    }
}

fn pong(port: u16) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.write_all(b"PING\r\n")?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer)?;
    Ok(&answer == b"+PONG")
}
