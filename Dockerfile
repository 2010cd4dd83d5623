# The tag of the runtime image. 10.0-noble-chiseled-extra is smaller and has no shell; compose.yaml takes that one.
ARG RUNTIME_TAG=10.0

FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source

# Packages are restored again only when what names them has changed.
COPY global.json Directory.Build.props Directory.Packages.props ./
COPY src/Bitrix24Placements.AspNetCore/Bitrix24Placements.AspNetCore.csproj src/Bitrix24Placements.AspNetCore/packages.lock.json src/Bitrix24Placements.AspNetCore/
COPY src/Bitrix24Placements/Bitrix24Placements.csproj src/Bitrix24Placements/packages.lock.json src/Bitrix24Placements/
# Compiled ahead (ReadyToRun) for the platform that the image is built on: the process starts sooner.
RUN case "$(uname -m)" in aarch64 | arm64) echo linux-arm64 ;; *) echo linux-x64 ;; esac > /rid \
    && dotnet restore src/Bitrix24Placements --locked-mode -p:RuntimeIdentifier="$(cat /rid)" -p:PublishReadyToRun=true

COPY .editorconfig ./
COPY src src
RUN dotnet publish src/Bitrix24Placements -c Release --no-restore -r "$(cat /rid)" --self-contained false \
    -p:PublishReadyToRun=true -p:UseAppHost=false -o /out \
    && mkdir /data

FROM mcr.microsoft.com/dotnet/aspnet:${RUNTIME_TAG}
WORKDIR /app
COPY --from=build /out ./
# A volume takes over the owner of the folder that it covers. The final image may have no shell to make one with.
COPY --from=build --chown=1654:1654 /data data

# No diagnostic socket: the root file system may be read-only.
ENV ASPNETCORE_HTTP_PORTS=8080 \
    DOTNET_EnableDiagnostics=0
EXPOSE 8080
VOLUME /app/data
# The number of the base image's user "app": Kubernetes' runAsNonRoot wants a number.
USER 1654

HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["dotnet", "Bitrix24Placements.dll", "health"]
ENTRYPOINT ["dotnet", "Bitrix24Placements.dll"]
