return await Bitrix24Placements.PortalSimulator.Program.Main(args);
